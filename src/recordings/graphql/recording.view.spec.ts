import { aRecording } from '../../../test/support/builders.js';
import { toEventView } from './recording.view.js';

describe('an event as it is shown', () => {
  const event = {
    position: { epoch: 'e', id: '1-0' },
    at: 1,
    cause: 'admin',
    previousStatus: null,
  };
  const complete = aRecording({ status: 'COMPLETE', hasMedia: true });

  it('shows the media of a recording that has some', () => {
    expect(toEventView({ ...event, type: 'UPDATED' }, complete).recording.isPlayable).toBe(true);
  });

  it('shows none of a recording that it deleted', () => {
    expect(toEventView({ ...event, type: 'DELETED' }, complete).recording.isPlayable).toBe(false);
  });
});
