import { Injectable } from '@nestjs/common';
import { Clock, awaitWithin } from '../../kernel/clock.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen, EgressStatus, ParticipantSeen, WorkerAnswer } from '../../livekit/livekit.types.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { mediaKey, numberedSegmentKey, segmentKeys, segmentNumber } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import {
  type AroundSegments,
  type ContinuationEvidence,
  type Evidence,
  known,
  NOT_ASKED,
  type Observed,
  type RoomEvidence,
  type SegmentsEvidence,
  type SegmentsLook,
  UNKNOWN_WORKER,
  type WorkerEvidence,
} from '../domain/evidence.js';
import type { MediaSeen } from '../domain/facts.js';
import { isFinal, type StoredRecording } from '../domain/recording.js';
import { isMediaExpected, isPrompt, progressAfter } from '../domain/stall-verdict.js';
import { liveEgresses, watchedEgresses } from '../domain/slot.js';
import { THRESHOLDS } from '../domain/thresholds.js';
import type { Question } from '../domain/case.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { OwnEgresses } from './own-egresses.js';

/** Asks what a verdict wants to know. Judges nothing: what could not be asked becomes evidence as such. */
@Injectable()
export class GatherEvidence {
  constructor(
    private readonly store: RecordingStore,
    private readonly rooms: RoomStore,
    private readonly livekit: LiveKit,
    private readonly storage: ObjectStorage,
    private readonly own: OwnEgresses,
    private readonly recorders: RecorderLog,
    private readonly fleet: FleetProbe,
    private readonly clock: Clock,
  ) {}

  /** What is remembered of the workers that are watched for this recording, and of its segments. Throws REDIS_UNAVAILABLE. */
  async remembered(evidence: Evidence, recording: StoredRecording): Promise<Evidence> {
    const workers = new Map(evidence.workers);
    for (const egressId of watchedEgresses(recording))
      if (!workers.has(egressId)) workers.set(egressId, await this.worker(egressId));
    const { egressId } = recording;
    if (egressId === null || evidence.segments.progress.state !== 'not-asked' || !isMediaExpected(recording))
      return { ...evidence, workers };
    const progress = known(await this.recorders.progress(egressId));
    return withSegments({ ...evidence, workers }, { progress });
  }

  /** The evidence with the answer in it. Throws REDIS_UNAVAILABLE alone. */
  async answer(evidence: Evidence, recording: StoredRecording, question: Question): Promise<Evidence> {
    switch (question.ask) {
      case 'egresses':
        return this.look(evidence, recording, question.withinMs);
      case 'egress':
        return this.byId(evidence, recording, question.egressId);
      case 'worker':
        return this.askWorker(evidence, question.egressId, question.listed);
      case 'worker-again':
        return this.confirm(evidence, question.egressId, question.listed);
      case 'another-worker': {
        const another = known(await this.recorders.anotherHeardSince(question.egressId, question.since));
        return withWorker(evidence, question.egressId, { another });
      }
      case 'fleet': {
        const asked = this.fleet.isThere(recording.roomId, question.since);
        return { ...evidence, fleet: await this.observed(this.within(asked, THRESHOLDS.fleetAnswerMs)) };
      }
      case 'fleet-in-the-end': {
        const asked = this.fleet.isThere(recording.roomId, question.since);
        return { ...evidence, fleetInTheEnd: await this.observed(asked) };
      }
      case 'room':
        return { ...evidence, room: await this.observed(this.room(recording)) };
      case 'publishers':
        return { ...evidence, publishes: await this.observed(this.publishes(recording)) };
      case 'segments':
        return this.lookAtSegments(evidence, recording, question.egressId);
      case 'storing':
        return withSegments(evidence, {
          storing: await this.observed(this.tryStoring(recording, newestOf(evidence))),
        });
      case 'segments-again': {
        const grewSince = await this.observed(this.grew(recording, newestOf(evidence)));
        return withSegments(evidence, { grewSince });
      }
      case 'media':
        return { ...evidence, media: await this.observed(this.media(recording)) };
      case 'continuation':
        return { ...evidence, continuation: known(await this.continuation(recording)) };
    }
  }

  /** What could not be asked, of whatever kind, is a value; everything else is a fault of ours and thrown. */
  private async observed<T>(asked: Promise<T>): Promise<Observed<T>> {
    try {
      return known(await asked);
    } catch (error) {
      if (isTallyError(error, 'LIVEKIT_UNAVAILABLE') || isTallyError(error, 'STORAGE_UNAVAILABLE'))
        return { state: 'unavailable', error };
      throw error;
    }
  }

  private async within<T>(asked: Promise<T>, ms: number): Promise<T> {
    return await awaitWithin(this.clock, ms, asked, () => {
      throw new TallyError('LIVEKIT_UNAVAILABLE', `LiveKit did not answer within ${ms} ms`);
    });
  }

  private async look(evidence: Evidence, recording: StoredRecording, withinMs?: number): Promise<Evidence> {
    // What is seen is at least as new as this, which the slot's rule relies on.
    const at = this.clock.now();
    const asked = this.egressesOf(recording);
    const found = await this.observed(withinMs === undefined ? asked : this.within(asked, withinMs));
    if (found.state !== 'known')
      return { ...evidence, looked: found.state === 'unavailable' ? found : NOT_ASKED };
    const egresses = found.value;
    let next: Evidence = { ...evidence, looked: known(true), sighting: { complete: true, egresses, at } };
    for (const egressId of watchedEgresses(recording)) {
      const listed = known(egresses.find((one) => one.egressId === egressId) ?? null);
      next = withWorker(next, egressId, { listed });
    }
    return next;
  }

  /**
   * Every egress of this recording that LiveKit lists. Those we know are asked for by id, where "not found" can be believed;
   * one that nobody has named to us yet is looked for in the list of the room, which can be falsely empty, and then in the whole one.
   */
  private async egressesOf(recording: StoredRecording): Promise<EgressSeen[]> {
    const { egresses, startAnswer, startPendingUntil } = recording.upkeep;
    if (startAnswer === 'accepted' && Object.keys(egresses).length > 0)
      return this.byIds(liveEgresses(recording));
    const ofRoom = await this.livekit.listEgresses({ roomName: recording.roomId });
    // Those that have ended are many, and are asked for only where nothing is on its way any more.
    const active = this.clock.now() >= startPendingUntil ? {} : { active: true };
    const listed = ofRoom.length > 0 ? ofRoom : await this.livekit.listEgresses(active);
    return listed.filter(
      (egress) =>
        egress.egressId in recording.upkeep.egresses || this.own.recordingOf(egress) === recording.id,
    );
  }

  /** Those of them that LiveKit knows. Throws LIVEKIT_UNAVAILABLE. */
  async byIds(ids: readonly string[]): Promise<EgressSeen[]> {
    const found = await Promise.all(ids.map((id) => this.livekit.findEgress(id)));
    return found.filter((egress) => egress !== null);
  }

  private async byId(evidence: Evidence, recording: StoredRecording, egressId: string): Promise<Evidence> {
    const at = this.clock.now();
    const listed = await this.observed(this.livekit.findEgress(egressId));
    const next = withWorker(evidence, egressId, { listed });
    const isNew =
      listed.state === 'known' &&
      listed.value !== null &&
      (isFinal(listed.value.status) || listed.value.status !== recording.status);
    return isNew ? { ...next, sighting: { complete: false, egresses: [listed.value!], at } } : next;
  }

  private async askWorker(evidence: Evidence, egressId: string, askedAs: EgressStatus): Promise<Evidence> {
    const askedAt = this.clock.now();
    const said = await this.observed(this.question(egressId, askedAs));
    if (said.state !== 'known')
      return withWorker(evidence, egressId, { answer: said.state === 'unavailable' ? said : NOT_ASKED });
    const isForgotten = isKnownToBe(null, evidence.workers.get(egressId)?.listed);
    // LiveKit has no status of it any more: that it ends already is what its worker says.
    const isAlive = said.value === 'alive' || (said.value === 'not-askable' && isForgotten);
    const remembered = await this.remember(egressId, isAlive ? 'alive' : said.value, askedAt);
    return withWorker(evidence, egressId, { ...remembered, answer: known({ said: said.value, askedAs }) });
  }

  /** Asked after the control, and only where LiveKit still lists it as it did: one that was stopped meanwhile says nothing of its worker. */
  private async confirm(
    evidence: Evidence,
    egressId: string,
    listed: EgressStatus | null,
  ): Promise<Evidence> {
    const present = await this.observed(this.livekit.findEgress(egressId));
    if (present.state === 'unavailable') return withWorker(evidence, egressId, { confirmed: present });
    if (present.state !== 'known' || (present.value?.status ?? null) !== listed)
      return withWorker(evidence, egressId, { confirmed: known<WorkerAnswer>('not-askable') });
    const askedAt = this.clock.now();
    const confirmed = await this.observed(this.question(egressId, listed ?? 'ACTIVE'));
    // A silence that confirms is none to be counted: it was asked for out of turn.
    const remembered =
      confirmed.state === 'known' && confirmed.value === 'alive'
        ? await this.remember(egressId, 'alive', askedAt)
        : {};
    return withWorker(evidence, egressId, { ...remembered, confirmed });
  }

  /** LiveKit asks the worker first: that it does not know an egress it says only once nobody has answered for it. */
  private async question(egressId: string, listed: EgressStatus): Promise<WorkerAnswer> {
    const said = await (listed === 'ENDING'
      ? this.livekit.askEndingWorker(egressId)
      : this.livekit.askWorker(egressId));
    return said === 'not-known' ? 'silent' : said;
  }

  private async remember(
    egressId: string,
    said: WorkerAnswer,
    askedAt: number,
  ): Promise<Partial<WorkerEvidence>> {
    if (said === 'alive') await this.recorders.heard(egressId, askedAt);
    else if (said === 'silent') await this.recorders.silent(egressId, askedAt);
    else return {};
    return this.recorders.state(egressId);
  }

  private async worker(egressId: string): Promise<WorkerEvidence> {
    return { ...UNKNOWN_WORKER, ...(await this.recorders.state(egressId)) };
  }

  private async room({ roomId }: StoredRecording): Promise<RoomEvidence> {
    const room = await this.livekit.findRoom(roomId);
    if (room === null) return { open: false };
    const { sid, createdAtMs, numPublishers, activeRecording } = room;
    return { open: true, sid, createdAtMs, numPublishers, activeRecording };
  }

  private async publishes({ roomId }: StoredRecording): Promise<boolean> {
    return (await this.livekit.listParticipants(roomId)).some(isPublisher);
  }

  private async lookAtSegments(
    evidence: Evidence,
    recording: StoredRecording,
    egressId: string,
  ): Promise<Evidence> {
    const newestKnown = newestOf(evidence);
    const at = this.clock.now();
    const newest = await this.observed(this.newestSegment(recording, newestKnown));
    let look: Observed<SegmentsLook> = NOT_ASKED;
    if (newest.state === 'unavailable') look = newest;
    if (newest.state === 'known') {
      const seen = { at, newest: newest.value, tookMs: this.clock.now() - at };
      // Only what may count against it is worth a question to LiveKit.
      const isLate = seen.newest === null && newestKnown !== null && isPrompt(seen);
      const around = isLate ? await this.observed(this.around(recording, egressId)) : NOT_ASKED;
      look = known({ ...seen, around });
    }
    const { progress } = evidence.segments;
    const next = progressAfter(progress.state === 'known' ? progress.value : null, look, at);
    await this.recorders.setProgress(egressId, next);
    return withSegments(evidence, { progress: known(next), look });
  }

  /** Media is due while somebody publishes, or where its egress should have ended: it was told to, or its room is closed. */
  private async around({ roomId, status }: StoredRecording, egressId: string): Promise<AroundSegments> {
    const participants = await this.livekit.listParticipants(roomId);
    const isDue =
      status === 'ENDING' || participants.some(isPublisher) || (await this.livekit.findRoom(roomId)) === null;
    return { isDue, recorderOut: participants.every(({ identity }) => identity !== egressId) };
  }

  /** The highest number above `after` that one request shows; null: none. */
  private async newestSegment(recording: StoredRecording, after: number | null): Promise<number | null> {
    const { prefix } = segmentKeys(recording);
    let newest: number | null = null;
    let read = 0;
    const from = after === null ? undefined : numberedSegmentKey(recording, after);
    for await (const { key } of this.storage.list(prefix, from)) {
      const number = segmentNumber(key);
      if (number !== null && number > (newest ?? after ?? -1)) newest = number;
      if ((read += 1) >= THRESHOLDS.segmentsALook) break;
    }
    return newest;
  }

  /**
   * How long the bucket takes to store as many bytes as the newest segment has, where the segments are, ms: one that takes a few
   * at once can be slow for an egress. They go with the segments.
   */
  private async tryStoring(recording: StoredRecording, newestKnown: number | null): Promise<number> {
    const newest = await this.storage.head(numberedSegmentKey(recording, newestKnown ?? 0));
    const sizeBytes = Math.min(newest?.sizeBytes ?? 0, THRESHOLDS.mostTrialBytes);
    const at = this.clock.now();
    const written = Buffer.alloc(sizeBytes, ' ');
    await this.storage.put(segmentKeys(recording).trial, written, 'text/plain');
    return this.clock.now() - at;
  }

  /** A list can be wrong, which the question for the next segment itself is not. */
  private async grew(recording: StoredRecording, newestKnown: number | null): Promise<boolean> {
    if ((await this.newestSegment(recording, newestKnown)) !== null) return true;
    return (await this.storage.head(numberedSegmentKey(recording, (newestKnown ?? -1) + 1))) !== null;
  }

  private async media(recording: StoredRecording): Promise<MediaSeen | null> {
    const info = await this.storage.head(mediaKey(recording));
    return info === null ? null : { sizeBytes: info.sizeBytes };
  }

  private async continuation(recording: StoredRecording): Promise<ContinuationEvidence> {
    const room = await this.rooms.get(recording.roomId);
    const wanted = room !== null && room.recordingSettings.enabled && room.recordingSettings.restartWhenLost;
    return { wanted, endedInARow: wanted ? await this.endedInARow(recording) : 0 };
  }

  /** Recordings of one chain that ended without having been active for a good while, this one included. */
  private async endedInARow(last: StoredRecording): Promise<number> {
    let recording: StoredRecording | null = last;
    let inARow = 0;
    while (recording !== null && inARow < THRESHOLDS.mostInARow) {
      const activeMs = recording.startedAt === null ? 0 : (recording.endedAt ?? 0) - recording.startedAt;
      if (activeMs >= THRESHOLDS.goodWhileMs) break;
      inARow += 1;
      recording = recording.continues === null ? null : await this.store.get(recording.continues);
    }
    return inARow;
  }
}

function isPublisher({ publishes, kind }: ParticipantSeen): boolean {
  return publishes && kind !== 'egress' && kind !== 'agent';
}

function isKnownToBe<T>(value: T, observed: Observed<T> | undefined): boolean {
  return observed?.state === 'known' && observed.value === value;
}

function withWorker(evidence: Evidence, egressId: string, news: Partial<WorkerEvidence>): Evidence {
  const workers = new Map(evidence.workers);
  workers.set(egressId, { ...(workers.get(egressId) ?? UNKNOWN_WORKER), ...news });
  return { ...evidence, workers };
}

function withSegments(evidence: Evidence, news: Partial<SegmentsEvidence>): Evidence {
  return { ...evidence, segments: { ...evidence.segments, ...news } };
}

/** The highest number of a segment that is known; null: none is. */
function newestOf({ segments: { progress } }: Evidence): number | null {
  return progress.state === 'known' ? (progress.value?.newest ?? null) : null;
}
