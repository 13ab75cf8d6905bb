import { aRecording, aRoomId } from '../../../test/support/builders.js';
import type { RecordingId } from '../../kernel/ids.js';
import { isFoundBy, searchTokens, searchWords } from './search-words.js';

describe('words that find recordings', () => {
  const recording = aRecording({
    id: 'rec_01JD9ABCDEFGHJKMNPQRSTVWXY' as RecordingId,
    egressId: 'EG_Ab3dEf9hIjKl',
    roomId: aRoomId('clinic-7 north'),
    roomName: "Señor Müller’s Straße, Łódź-Zentrum (Ⅷ) O'Neil ＦＵＬＬ ΟΔΟΣ 会議室",
    labels: { patient: 'P-4711/b', tags: ['Küche', { deep: 'Bad' }], no: 42, yes: true, nothing: null },
  });
  const found = (text: string): boolean => isFoundBy(recording, searchWords(text));

  it.each([
    ...[
      'rec_01jd9',
      'REC_01JD9ABCDEFGHJKMNPQRSTVWXY',
      'r',
      'eg_ab3',
      'EG_Ab3dEf9hIjKl',
      'clinic-7',
      'clinic-7 NORTH',
    ],
    ...[
      'senor',
      'SEÑ',
      'mull',
      'müller',
      'Mu\u0308ller',
      'strasse',
      'STRASSE',
      'straß',
      'lodz',
      'lodz-zen',
      'zentrum',
    ],
    ...[
      'viii',
      "o'ne",
      'neil',
      'full',
      'οδοσ',
      'οδος',
      'ΟΔΟ',
      '会議',
      'p-4711',
      '4711',
      '4711/b',
      'b',
      'kuche',
      'bad',
      '42',
      'true',
    ],
    ...['senor lodz kuche rec_', '  zentrum\t\u00a0p  ', ''],
  ])('%j finds it', (text) => expect(found(text)).toBe(true));

  it.each([
    ...[
      'ec_01',
      '01jd9',
      'ab3',
      'linic',
      'üller',
      'odz',
      'entrum',
      '711',
      'null',
      'nothing',
      'patient',
      'complete',
    ],
    ...['senor nobody', 'clinic-7n', '議室', 'rec_01jd9abcdefghjkmnpqrstvwxyz'],
  ])('%j does not', (text) => expect(found(text)).toBe(false));

  it('are kept without those that another begins with', () => {
    const tokens = searchTokens(
      aRecording({ roomId: aRoomId('daily-1'), roomName: 'Daily', labels: { a: 'da' } }),
    );
    expect(tokens).toEqual(['daily-1']);
  });

  it('are no more than can be stored, and compared by their beginnings', () => {
    const labels = {
      many: Array.from({ length: 5_000 }, (_, i) => `w${i}`).join('-'),
      long: 'x'.repeat(300),
    };
    const tokens = searchTokens(aRecording({ labels }));
    expect(tokens.length).toBeLessThanOrEqual(1_024);
    expect(Math.max(...tokens.map((token) => token.length))).toBe(64);
    const long = aRecording({ labels: { long: 'x'.repeat(300) } });
    expect(isFoundBy(long, searchWords('X'.repeat(64)))).toBe(true);
    expect(isFoundBy(long, searchWords('ß'.repeat(64)))).toBe(false);
  });
});
