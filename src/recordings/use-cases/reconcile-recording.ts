import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { mediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import type { MediaSeen } from '../domain/facts.js';
import { isFinal, type Recording, type StoredRecording } from '../domain/recording.js';
import { awaitsBucketLook, isAbsenceProven, isUnsettled, nextLookMs } from '../domain/slot.js';
import { isUnsent } from '../domain/start-request.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';
import { ObserveEgresses } from './observe-egresses.js';
import { OwnEgresses } from './own-egresses.js';

/** A start that has not been sent for so long was left by a process that died. */
const UNSENT_MS = 1_500;
const UNSENT_LOOK_MS = 500;

/** Looks at both sides, LiveKit and the bucket, and says what was seen; what follows is the state machine's. */
@Injectable()
export class ReconcileRecording {
  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly storage: ObjectStorage,
    private readonly own: OwnEgresses,
    private readonly observe: ObserveEgresses,
    private readonly launch: LaunchEgress,
    private readonly clock: Clock,
  ) {}

  /** How long until it has to be looked at again, in ms; null: nothing to look at. Throws when a side could not be asked. */
  async execute(id: RecordingId): Promise<number | null> {
    const recording = await this.store.get(id);
    if (recording === null || !isUnsettled(recording)) return null;
    if (isUnsent(recording) && !isFinal(recording.status)) return this.send(recording);
    const looked = await this.look(recording);
    return looked === null ? null : nextLookMs(looked, this.clock.now());
  }

  /** Whoever stored the attempt asks LiveKit within moments; where it died before, it is done here. */
  private send({ id, requestedAt }: StoredRecording): number {
    if (this.clock.now() - requestedAt >= UNSENT_MS) void this.launch.execute(id);
    return UNSENT_LOOK_MS;
  }

  /** One look. Null: the recording is gone. Throws LIVEKIT_UNAVAILABLE or STORAGE_UNAVAILABLE when it could not look. */
  async look(recording: StoredRecording, cause = 'livekit'): Promise<StoredRecording | null> {
    // What is seen is at least as new as this, which the slot's rule relies on.
    const at = this.clock.now();
    const egresses = await this.egressesOf(recording);
    const applied = await this.observe.listed(recording.id, egresses, at, cause);
    return applied === null ? null : this.lookIntoBucket(applied.recording, cause);
  }

  /** The media that an egress of this recording left in the bucket, or null. */
  async findMedia(recording: Recording): Promise<MediaSeen | null> {
    const info = await this.storage.head(mediaKey(recording));
    return info === null ? null : { sizeBytes: info.sizeBytes };
  }

  private async lookIntoBucket(recording: StoredRecording, cause: string): Promise<StoredRecording | null> {
    const at = this.clock.now();
    // An egress that we know and that is missing is ended by the sweep, which sees all of them: one wrong answer hides many.
    const neverSeen = Object.keys(recording.upkeep.egresses).length === 0;
    if (!isFinal(recording.status) && neverSeen && isAbsenceProven(recording)) {
      const media = await this.findMedia(recording);
      const applied = await this.writer.apply(
        recording.id,
        { kind: 'egress-gone', proof: 'absence', media, at },
        cause,
      );
      return applied?.recording ?? null;
    }
    if (!awaitsBucketLook(recording)) return recording;
    const media = await this.findMedia(recording);
    const applied = await this.writer.apply(recording.id, { kind: 'media-looked-for', media, at }, cause);
    return applied?.recording ?? null;
  }

  /**
   * Every egress of this recording that LiveKit lists. Those we know are asked for by id, where "not found" can be believed;
   * one that nobody has named to us yet is looked for in the list of the room, which can be falsely empty, and then in the whole one.
   */
  private async egressesOf(recording: StoredRecording): Promise<EgressSeen[]> {
    const { egresses, startAnswer } = recording.upkeep;
    const ids = Object.keys(egresses).filter((id) => egresses[id] === 'live');
    if (startAnswer === 'accepted' && Object.keys(egresses).length > 0) {
      const found = await Promise.all(ids.map((id) => this.livekit.findEgress(id)));
      return found.filter((egress) => egress !== null);
    }
    const ofRoom = await this.livekit.listEgresses({ roomName: recording.roomId });
    // Those that have ended are many, and are asked for only where nothing is on its way any more.
    const active = isStartOver(recording, this.clock.now()) ? {} : { active: true };
    const listed = ofRoom.length > 0 ? ofRoom : await this.livekit.listEgresses(active);
    return listed.filter((egress) => this.isOf(egress, recording));
  }

  private isOf(egress: EgressSeen, recording: StoredRecording): boolean {
    return egress.egressId in recording.upkeep.egresses || this.own.recordingOf(egress) === recording.id;
  }
}

function isStartOver({ upkeep }: StoredRecording, at: number): boolean {
  return at >= upkeep.startPendingUntil;
}
