import { aRoomId } from '../../../test/support/builders.js';
import { NEW_WORK, workAfterTry } from './bulk-deletion.js';

describe('what is known of a recording after a try that failed', () => {
  const claim = { roomId: aRoomId() };

  it('is one try more, and where its objects are', () => {
    expect(workAfterTry(NEW_WORK, claim, false)).toEqual({ claim, attempts: 1, mediaGone: false });
  });

  it('is that its media is gone, also when a later try says nothing of it', () => {
    const once = workAfterTry(NEW_WORK, claim, true);
    expect(workAfterTry(once, claim, false)).toEqual({ claim, attempts: 2, mediaGone: true });
  });
});
