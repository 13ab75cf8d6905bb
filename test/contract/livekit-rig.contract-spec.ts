import { cannotFrom } from './livekit-rig.js';

describe('what the battery is told to leave out', () => {
  it('is left out with a reason', () => {
    expect(cannotFrom('video, bad credentials', 'no browser there')).toEqual({
      video: 'no browser there',
      'bad credentials': 'no browser there',
    });
  });

  it('is nothing where nothing is said', () => {
    expect(cannotFrom('', 'unused')).toEqual({});
  });

  it('is refused where it is nothing the battery knows', () => {
    expect(() => cannotFrom('video, vidoe', 'unused')).toThrow(
      'knows no "vidoe" to leave out: it knows stop while starting, video, bad credentials',
    );
  });
});
