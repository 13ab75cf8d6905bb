import { jobTitle } from './job-title.js';

describe('the title of a job', () => {
  it.each([
    ['reconcile-recording', { recordingId: 'rec_1' }, 'reconcile-recording rec_1'],
    ['stop-egress', { egressId: 'EG_1', roomId: 'daily', recordingId: 'rec_1' }, 'stop-egress rec_1'],
    ['drop-room-metadata', { roomId: 'daily' }, 'drop-room-metadata daily'],
    [
      'apply-livekit-event',
      {
        event: {
          id: 'EV_1',
          kind: 'egress',
          egress: { egressId: 'EG_1', status: 'ACTIVE', roomName: 'daily' },
        },
      },
      'apply-livekit-event egress ACTIVE daily',
    ],
    [
      'apply-livekit-event',
      { event: { id: 'EV_2', kind: 'participant-left', roomName: 'daily', identity: 'ann' } },
      'apply-livekit-event participant-left daily ann',
    ],
    ['anything', null, 'anything'],
    ['anything', { count: 3 }, 'anything'],
  ])('%s with %j reads %s', (name, data, title) => {
    expect(jobTitle(name, data)).toBe(title);
  });
});
