import { Injectable, Logger } from '@nestjs/common';
import { Incidents } from '../../incidents/incidents.port.js';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError, type TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { type Act, type Evidence, firstUnavailable, NO_EVIDENCE, type Sighting } from '../domain/evidence.js';
import type { Fact } from '../domain/facts.js';
import type { StoredRecording } from '../domain/recording.js';
import { decide } from '../domain/recording.machine.js';
import { liveEgresses, watchedEgresses } from '../domain/slot.js';
import type { Case, Limits, Verdict } from '../domain/case.js';
import {
  type HeldEnd,
  isHeldEnd,
  nextTime,
  verdict,
  verdictOfHeldEnd,
  verdictOfLook,
  verdictOfSighting,
  verdictOfStopNotFound,
} from '../domain/verdict.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { type Applied, RecordingWriter } from '../write/recording.writer.js';
import { DeleteRecording } from './delete-recording.js';
import { GatherEvidence } from './gather-evidence.js';
import { LaunchEgress } from './launch-egress.js';
import { StartContinuation } from './start-continuation.js';

/** More steps than any case needs: what goes in circles is a fault of ours and ends here, to be judged anew later. */
const MOST_STEPS = 40;

/** These judge by what they are shown, not by what is remembered of workers, where that is all there should be. */
const WITHOUT_MEMORY: ReadonlySet<(of: Case) => Verdict> = new Set([
  verdictOfSighting,
  verdictOfLook,
  verdictOfStopNotFound,
]);

/** What became of a recording in one run. */
interface Run extends Applied {
  readonly evidence: Evidence;
}

/**
 * The one place where recordings are judged: it gathers what the verdict asks for, and does what it says, until there is
 * nothing to do before a certain time. Webhooks, timers, sweeps and callers bring what they saw, and decide nothing.
 */
@Injectable()
export class ReconcileRecording {
  private readonly log = new Logger('Recordings');
  private readonly limits: Limits;

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly gather: GatherEvidence,
    private readonly recorders: RecorderLog,
    private readonly launch: LaunchEgress,
    private readonly continuation: StartContinuation,
    private readonly deletion: DeleteRecording,
    private readonly incidents: Incidents,
    config: Config,
    private readonly clock: Clock,
  ) {
    this.limits = {
      startTimeoutMs: config.recordingStartTimeoutMs,
      livekitTimeoutMs: config.livekitTimeoutMs,
      workerCheckEveryMs: config.recorderCheckEveryMs,
      workerLostAfterMs: config.recorderLostAfterMs,
      staleAfterMs: config.staleAfterMs,
    };
  }

  /** Judges everything. How long until it has to be judged again, in ms; null: nothing of it is left. Throws REDIS_UNAVAILABLE alone. */
  async execute(id: RecordingId): Promise<number | null> {
    const run = await this.drive(id, NO_EVIDENCE, verdict, 'livekit');
    if (run === null) {
      await this.incidents.close('recorder_stalled', id);
      return null;
    }
    const now = this.clock.now();
    const until = nextTime({ ...run, now, limits: this.limits });
    if (until === null) await this.forget(run.recording);
    return until === null ? null : Math.max(0, until - now);
  }

  /** One look at LiveKit. Null: the recording is gone. Throws LIVEKIT_UNAVAILABLE or STORAGE_UNAVAILABLE where it could not look. */
  async look(id: RecordingId, cause = 'livekit'): Promise<StoredRecording | null> {
    const run = requireAsked(await this.drive(id, NO_EVIDENCE, verdictOfLook, cause));
    return run === null ? null : run.recording;
  }

  /** What LiveKit showed of one egress. Null: there is no such recording. Throws LIVEKIT_UNAVAILABLE where its room could not be asked for. */
  async observe(id: RecordingId, egress: EgressSeen, cause: string): Promise<Applied | null> {
    return this.sight(id, { complete: false, egresses: [egress], at: this.clock.now() }, cause);
  }

  /** Every egress of the recording that LiveKit lists, as it was at the instant `at`, ms, or later. */
  async observeAll(
    id: RecordingId,
    egresses: readonly EgressSeen[],
    at: number,
    cause: string,
  ): Promise<Applied | null> {
    return this.sight(id, { complete: true, egresses, at }, cause);
  }

  /** LiveKit answered a stop of it with "no such egress": it is over where that is proven, and else as it was. */
  async stopNotFound(id: RecordingId): Promise<StoredRecording | null> {
    const evidence = { ...NO_EVIDENCE, stopNotFound: true };
    const run = requireAsked(await this.drive(id, evidence, verdictOfStopNotFound, 'livekit'));
    return run === null ? null : run.recording;
  }

  /** Whether what was not there is to end it, judged by what a sweep has seen; nothing is asked of LiveKit, and nothing changes. */
  async isHeldEnd(held: HeldEnd, recording: StoredRecording, seen: Partial<Evidence>): Promise<boolean> {
    const evidence = await this.gather.remembered({ ...NO_EVIDENCE, ...seen }, recording);
    return isHeldEnd(held, { recording, evidence, now: this.clock.now(), limits: this.limits });
  }

  /** Ends it so, unless more evidence says otherwise; false: it was not ended. Throws where that could not be asked for. */
  async carryOut(id: RecordingId, held: HeldEnd, seen: Partial<Evidence>, cause: string): Promise<boolean> {
    const run = await this.drive(id, { ...NO_EVIDENCE, ...seen }, verdictOfHeldEnd(held), cause);
    return requireAsked(run)?.changed ?? false;
  }

  /** All of its egresses, where a list has shown those that are active: those that have ended are many, and are asked for by their ids. */
  async withEnded(recording: StoredRecording, active: readonly EgressSeen[]): Promise<EgressSeen[]> {
    const missing = liveEgresses(recording).filter((id) => active.every(({ egressId }) => egressId !== id));
    return [...active, ...(await this.gather.byIds(missing))];
  }

  /** The recording as it would be after this, changing nothing. */
  foresee(recording: StoredRecording, fact: Fact): StoredRecording {
    const decision = decide(recording, fact);
    return decision.kind === 'advance' ? decision.next : recording;
  }

  private async sight(id: RecordingId, sighting: Sighting, cause: string): Promise<Applied | null> {
    return requireAsked(await this.drive(id, { ...NO_EVIDENCE, sighting }, verdictOfSighting, cause));
  }

  /** `cause`: of the facts that have none of their own. Null: the recording is gone. */
  private async drive(
    id: RecordingId,
    evidence: Evidence,
    judge: (of: Case) => Verdict,
    cause: string,
  ): Promise<Run | null> {
    const needsMemory = !WITHOUT_MEMORY.has(judge);
    const recording = await this.store.get(id);
    if (recording === null) return null;
    let run: Run = { recording, changed: false, position: null, evidence };
    for (let step = 0; step < MOST_STEPS; step++) {
      if (needsMemory || isMissing(run))
        run = { ...run, evidence: await this.gather.remembered(run.evidence, run.recording) };
      const said = judge({ ...run, now: this.clock.now(), limits: this.limits });
      if (said.do === 'wait') return run;
      const next = await this.carry(run, said, cause);
      if (next === null) return null;
      run = next;
    }
    this.log.error({
      event: 'verdict_without_end',
      message: `recording ${id} is judged over and over; it is left for later`,
      recordingId: id,
    });
    return run;
  }

  private async carry(run: Run, said: Exclude<Verdict, { do: 'wait' }>, cause: string): Promise<Run | null> {
    switch (said.do) {
      case 'ask':
        return { ...run, evidence: await this.gather.answer(run.evidence, run.recording, said.question) };
      case 'act':
        return this.act(run, said.act);
      case 'apply':
        return this.apply(run, said.fact, said.cause ?? cause, said.reason);
    }
  }

  private async apply(run: Run, fact: Fact, cause: string, reason: string): Promise<Run | null> {
    // LiveKit lists it for ever, also when its recording is deleted; remembered first, so that a crash in between forgets nothing.
    if (fact.kind === 'recorder-lost') {
      await this.recorders.markDead(fact.egressId, fact.at);
      if (fact.stalledSince !== undefined) await this.openIncident(run.recording, fact.stalledSince);
    }
    const applied = await this.writer.apply(run.recording.id, fact, cause, reason, run.recording);
    if (applied === null) return null;
    if (fact.kind === 'recorder-lost') await this.recorders.forget(fact.egressId);
    const isSighting = fact.kind === 'egresses-listed' || fact.kind === 'egress-seen';
    const evidence = isSighting ? { ...run.evidence, sighting: null } : run.evidence;
    return {
      recording: applied.recording,
      changed: run.changed || applied.changed,
      position: applied.position ?? run.position,
      evidence,
    };
  }

  private async act(run: Run, act: Act): Promise<Run | null> {
    const { recording, evidence } = run;
    try {
      switch (act) {
        case 'send-start':
          // Not awaited: LiveKit may take half a minute to say that nobody is there.
          void this.launch.execute(recording.id, recording);
          break;
        case 'finish-deletion':
          await this.deletion.carryOut(recording, null);
          break;
        case 'continue':
          await this.continuation.execute(recording);
          break;
      }
    } catch (error) {
      // It has its turn again: who is unavailable now is asked anew then.
      if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE') && !isTallyError(error, 'STORAGE_UNAVAILABLE'))
        throw error;
    }
    const present = await this.store.get(recording.id);
    if (present === null) return null;
    return { ...run, recording: present, evidence: { ...evidence, acted: [...evidence.acted, act] } };
  }

  /** Open until nothing of the recording is left to do: its media is put together, and the meeting goes on or is over. */
  private async openIncident({ id, roomId, egressId }: StoredRecording, since: number): Promise<void> {
    await this.incidents.open(
      'recorder_stalled',
      id,
      `no media came of recording ${id} in room ${roomId} since ${new Date(since).toISOString()}, though the worker of ${egressId} answers: it is put together from its segments, its recorder is removed from the room, and another recording goes on; look at that worker's log, CPU and memory`,
    );
  }

  /** Nobody is watched for it any more. */
  private async forget(recording: StoredRecording): Promise<void> {
    if (recording.upkeep.stalledSince !== undefined)
      await this.incidents.close('recorder_stalled', recording.id);
    if (watchedEgresses(recording).length > 0) return;
    for (const egressId of Object.keys(recording.upkeep.egresses)) await this.recorders.forget(egressId);
  }
}

/** What is watched is not in a list that should have it: whether its worker answers decides what that means. */
function isMissing({ recording, evidence: { sighting } }: Run): boolean {
  if (!sighting?.complete) return false;
  const shown = new Set(sighting.egresses.map(({ egressId }) => egressId));
  return watchedEgresses(recording).some((id) => !shown.has(id));
}

/** For who has to know: what was asked for and could not be answered is thrown. */
function requireAsked(run: Run | null): Run | null {
  const missing: TallyError | null = run === null ? null : firstUnavailable(run.evidence);
  if (missing !== null) throw missing;
  return run;
}
