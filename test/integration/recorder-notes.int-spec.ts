import type { LiveKitEvent } from '../../src/livekit/livekit.types.js';
import type { RoomSignals } from '../../src/livekit/room-signal.js';
import { RedisRecorderLog } from '../../src/recordings/recorders/redis-recorder-log.js';
import type { RecordingStore } from '../../src/recordings/store/recording.store.js';
import { ApplyLiveKitEvent } from '../../src/recordings/use-cases/apply-livekit-event.js';
import type { OwnEgresses } from '../../src/recordings/use-cases/own-egresses.js';
import type { ReconcileEgress } from '../../src/recordings/use-cases/reconcile-egress.js';
import { keys } from '../../src/redis/keys.js';
import { aRecording, T0 } from '../support/builders.js';
import { ownRedis } from '../support/own-redis.js';
import { VirtualClock } from '../support/virtual-clock.js';

const DAY_MS = 86_400_000;

describe('notes of recorders that were seen in their rooms', () => {
  const own = ownRedis();
  const recording = aRecording({
    ...{ status: 'ACTIVE', egressId: 'EG_ours' },
    upkeep: { egresses: { EG_ours: 'live', EG_former: 'over' } },
  });

  beforeEach(async () => void (await own.connections.command.flushall()));

  it('are of our own recorders alone: nobody would forget those of others', async () => {
    const store: Partial<RecordingStore> = {
      slotHolder: async (room) => (room === recording.roomId ? recording.id : null),
      get: async () => recording,
    };
    const apply = new ApplyLiveKitEvent(
      store as RecordingStore,
      {} as OwnEgresses,
      {} as RoomSignals,
      {} as ReconcileEgress,
      new RedisRecorderLog(own.connections),
      new VirtualClock(),
    );
    for (const roomName of [recording.roomId, 'a-room-of-others']) {
      for (const identity of ['EG_ours', 'EG_former', 'EG_of-others']) {
        for (const kind of ['participant-joined', 'participant-left'] as const) {
          const event = { id: 'EV_1', createdAtMs: T0, kind, roomName, identity, participantKind: 'egress' };
          await apply.execute(event as LiveKitEvent);
        }
      }
    }
    for (const what of ['seen', 'left', 'nudged'] as const)
      expect(await own.connections.command.zrange(keys.recorderNotes(what), 0, -1)).toEqual(['EG_ours']);
  });

  it('are forgotten after a week, should nobody else forget them', async () => {
    const log = new RedisRecorderLog(own.connections);
    await log.setPresence('EG_old', 'seen', T0);
    await log.setPresence('EG_new', 'seen', T0 + 8 * DAY_MS);
    expect(await own.connections.command.zrange(keys.recorderNotes('seen'), 0, -1)).toEqual(['EG_new']);
  });
});
