import { aRecording, T0 } from '../../../test/support/builders.js';
import type { Clock } from '../../kernel/clock.js';
import type { LiveKit } from '../../livekit/livekit.port.js';
import type { ObjectStorage } from '../../storage/object-storage.port.js';
import type { RoomStore } from '../../rooms/store/room.store.js';
import { NO_EVIDENCE } from '../domain/evidence.js';
import type { FleetProbe } from '../recorders/fleet-probe.js';
import type { RecorderLog } from '../recorders/recorder-log.port.js';
import type { RecordingStore } from '../store/recording.store.js';
import { GatherEvidence } from './gather-evidence.js';
import type { OwnEgresses } from './own-egresses.js';

describe('what is gathered of a start that is on its way', () => {
  it('needs nothing of what ended within a day', async () => {
    const livekit: Partial<LiveKit> = {
      listEgresses: async ({ roomName, active } = {}) => {
        if (roomName === undefined && active !== true) throw new Error('the whole list was read');
        return [];
      },
    };
    const gather = new GatherEvidence(
      {} as RecordingStore,
      {} as RoomStore,
      livekit as LiveKit,
      {} as ObjectStorage,
      {} as OwnEgresses,
      {} as RecorderLog,
      {} as FleetProbe,
      { now: () => T0 + 400 } as Clock,
    );
    const evidence = await gather.answer(NO_EVIDENCE, aRecording(), { ask: 'egresses' });
    expect(evidence.looked).toMatchObject({ state: 'known' });
  });
});
