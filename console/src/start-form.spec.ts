import { parseLabels, StartKeys, toStartInput } from './start-form.js';

const blank = { audioOnly: false, layout: '', preset: '', maxMinutes: '', labels: '' } as const;

describe('the start form', () => {
  test('what is left open stays the room’s own setting', () => {
    expect(toStartInput('r', blank)).toEqual({ roomId: 'r', audioOnly: false });
  });

  test('audio only sends neither a layout nor a preset', () => {
    expect(toStartInput('r', { ...blank, audioOnly: true, layout: 'GRID', preset: 'H264_720P_30' })).toEqual({
      roomId: 'r',
      audioOnly: true,
    });
  });

  test('minutes become milliseconds', () => {
    expect(toStartInput('r', { ...blank, maxMinutes: '1.5' }).maxDurationMs).toBe(90_000);
  });

  test('labels are read line by line, split at the first colon or equals sign', () => {
    expect(parseLabels('course: physics\n\n url=http://a:1 \nplain')).toEqual({
      course: 'physics',
      url: 'http://a:1',
      plain: '',
    });
  });

  test('pressing start again after a lost answer repeats the key, after a known outcome it does not', () => {
    const keys = new StartKeys();
    const input = toStartInput('r', blank);
    const first = keys.keyFor(input);
    expect(keys.keyFor({ ...input })).toBe(first);
    expect(keys.keyFor({ ...input, audioOnly: true })).not.toBe(first);
    const second = keys.keyFor(input);
    keys.outcomeKnown();
    expect(keys.keyFor(input)).not.toBe(second);
  });
});
