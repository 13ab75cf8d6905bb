import { DisconnectReason, type EgressInfo, EgressStatus } from '@livekit/protocol';
import { type EgressOrder, keepRequest, type KeptRequest } from './egress-order.js';
import { detailsOf, type EndReason, setEnded, setFile, setMediaEnd, setMediaStart } from './egress-record.js';
import { faultDelay, type FaultName } from './faults.js';
import { type KeptSegments, SegmentStream } from './segment-stream.js';
import type { Ending, RecorderSurroundings, RecordingService } from './recorder.types.js';
import type { Cancel } from './scheduler.js';
import type { RecorderTimings } from './timings.js';

/** What a composite is taken to need of a worker's cores, unless it says otherwise, and what audio alone does. */
const CORES = { browser: 4, audio: 1 } as const;

export const CPU_USED = 'CPU exhausted: 4.40 cores used';

export function coresOf({ usesBrowser }: EgressOrder): number {
  return usesBrowser ? CORES.browser : CORES.audio;
}

type Phase = 'launching' | 'waiting' | 'recording' | 'finishing' | 'gone';

/** A recording child that another process goes on with. */
export interface KeptRecorder {
  readonly info: ReturnType<EgressInfo['toJson']>;
  readonly request: KeptRequest;
  readonly phase: Exclude<Phase, 'gone'>;
  /** While it is finishing: how. Its instant as text, in ns. */
  readonly ending: (Omit<Ending, 'endedAt'> & { readonly endedAt: string | null }) | null;
  readonly segments: KeptSegments | null;
}

/** One recording child of a worker: joins its room, waits for its start signal, records, uploads, exits. */
export class Recorder {
  private phase: Phase = 'launching';
  private inRoom = false;
  private orphaned = false;
  private signalled = false;
  private mediaEnd = 0n;
  private wedged = false;
  private stopped = false;
  private readonly segments: SegmentStream | null;
  private ending: Ending | null = null;
  private plans: Cancel[] = [];
  private announceUp: () => void = () => undefined;
  /** Resolves when the child can be told anything. */
  readonly up = new Promise<void>((resolve) => {
    this.announceUp = resolve;
  });
  /** What the worker knows of it from the start, and reports where the child can't speak for itself any more. */
  private readonly asAccepted: EgressInfo;

  constructor(
    readonly info: EgressInfo,
    private readonly order: EgressOrder,
    private readonly service: RecordingService,
    private readonly around: RecorderSurroundings,
  ) {
    this.asAccepted = info.clone();
    const [segments] = order.segments;
    this.segments = segments
      ? new SegmentStream(info, segments, order.picture, around, (error) => this.failUpload(error))
      : null;
  }

  get cores(): number {
    return coresOf(this.order);
  }

  get isUp(): boolean {
    return this.phase !== 'launching';
  }

  /** It is there, and nothing comes of it any more. */
  get standsStill(): boolean {
    return this.wedged;
  }

  /** It has ended by itself and uploads, and LiveKit was not told. */
  get endsUntold(): boolean {
    return this.phase === 'finishing' && this.info.status === EgressStatus.EGRESS_ACTIVE;
  }

  /** Stopped by a signal: it hears of nothing until it is continued. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Null for one that nobody could find again. */
  keep(): KeptRecorder | null {
    const { phase, ending } = this;
    if (phase === 'gone' || this.orphaned) return null;
    return {
      info: this.info.toJson(),
      request: keepRequest(this.order),
      phase,
      ending: ending && { ...ending, endedAt: ending.endedAt?.toString() ?? null },
      segments: this.segments?.keep() ?? null,
    };
  }

  /** Goes on where another process kept it: as if it had been there all the time. */
  resume({ phase, ending, segments }: KeptRecorder): void {
    if (phase === 'launching') return this.launch(0);
    const room = this.around.rooms.find(this.roomName);
    this.inRoom = room?.participants.has(this.info.egressId) ?? false;
    this.phase = phase === 'waiting' ? phase : 'recording';
    this.announceUp();
    if (segments && this.phase === 'recording') this.segments?.resume(segments);
    if (ending)
      return this.finish({ ...ending, endedAt: ending.endedAt === null ? null : BigInt(ending.endedAt) });
    if (!this.inRoom) return this.end('Source closed');
    if (room && room.publishers.length > 0) this.signal();
  }

  launch(afterMs: number): void {
    this.plan(afterMs, () => {
      // The child sets the time anew: the shown start moves a little once it reports.
      this.info.startedAt = this.now();
      this.plan(this.pace.joinMs, () => this.join());
    });
  }

  /** Somebody in its room publishes. */
  signal(): void {
    if (this.phase !== 'waiting' || this.signalled) return;
    if (this.around.faults.strike('start-never-active', this.roomName)) return;
    this.signalled = true;
    if (this.around.faults.strike('ends-before-active', this.roomName)) {
      this.plan(this.pace.signalMs / 2, () => this.end('Source closed'));
    } else {
      this.plan(this.pace.signalMs, () => this.activate());
    }
  }

  /** The end as asked for; without effect where it is ending already. */
  end(reason: EndReason): void {
    if (this.stopped) return;
    if (this.orphaned) return this.vanish();
    if (this.phase === 'launching' || this.phase === 'waiting') return this.abort(reason);
    if (this.phase !== 'recording') return;
    this.info.status = EgressStatus.EGRESS_ENDING;
    this.info.updatedAt = this.now();
    this.info.details = detailsOf(reason);
    this.report();
    // A browser's recording shows its length from here on, but not in the report of this moment.
    if (this.order.usesBrowser) {
      this.mediaEnd = this.now();
      setMediaEnd(this.info, this.order, this.mediaEnd);
    }
    this.finish({ status: EgressStatus.EGRESS_COMPLETE, reason, fault: null, endedAt: null });
  }

  /** The worker's own limit: it ends with its media and without an ENDING. */
  reachLimit(): void {
    if (this.phase !== 'recording' || this.stopped) return;
    this.finish({
      status: EgressStatus.EGRESS_LIMIT_REACHED,
      reason: 'Session limit reached',
      fault: { error: 'Session limit reached', errorCode: 413 },
      endedAt: this.now(),
    });
  }

  /** Killed by its worker, which lets it deliver what it has. */
  killGently(reason: 'CPU exhausted' | 'Process killed', error: string): void {
    if (this.phase !== 'recording' || this.stopped) return;
    this.finish({
      status: EgressStatus.EGRESS_FAILED,
      reason,
      fault: { error, errorCode: 403 },
      endedAt: null,
    });
  }

  /** The pipeline breaks: what was recorded is lost. */
  breakDown(error = 'GStreamer error: Internal data stream error.'): void {
    if (this.phase === 'gone' || this.stopped) return;
    const reason = this.phase === 'finishing' ? null : 'Failure';
    this.leave();
    this.exit();
    setEnded(this.info, EgressStatus.EGRESS_FAILED, this.now(), reason, { error, errorCode: 500 });
    this.report();
  }

  /** It stands still and answers: neither a segment nor an end comes of it any more. */
  wedge(): void {
    if (this.phase !== 'recording') return;
    this.wedged = true;
    this.segments?.stop();
  }

  /** Its process is stopped by a signal, and its worker answers: nothing comes of it, no end either, and its room gives it up. */
  stopProcess(): void {
    if (this.phase !== 'recording') return;
    this.wedge();
    this.stopped = true;
    this.leaveLater(this.around.chance.between(this.around.timings.deadRecorderLeavesMs));
  }

  /** Its pipeline does not come back with its process, and its connection to the room neither: it notices and ends. */
  continueProcess(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.end('Source closed');
  }

  /** The child alone is killed: its worker says so at once, the room notices later. */
  crash(): void {
    if (this.phase === 'gone') return;
    this.exit();
    this.reportCrash('signal: killed');
    this.leaveLater(this.around.timings.crashedRecorderLeavesMs);
  }

  /** The child never came up: a failed egress without a recorder. */
  failToLaunch(): void {
    this.exit();
    this.reportCrash('handler failed to start');
  }

  /** Its worker was killed: with it, or leaving it in the room with nobody to report to. */
  loseWorker(withChild: boolean): void {
    if (!withChild) {
      this.orphaned = true;
      return;
    }
    this.exit();
    this.leaveLater(this.around.chance.between(this.around.timings.deadRecorderLeavesMs));
  }

  /** Put out of its room, or the room is gone. */
  roomLost(): void {
    if (!this.inRoom) return;
    this.inRoom = false;
    if (this.phase !== 'gone') this.end('Source closed');
  }

  /** A fault of its room that strikes a running recording. */
  strike(): void {
    if (this.phase !== 'recording' || this.stopped) return;
    const strikes: readonly (readonly [FaultName, () => void])[] = [
      ['child-crash', () => this.crash()],
      ['pipeline-failed', () => this.breakDown()],
      ['pipeline-wedged', () => this.wedge()],
      ['child-stopped', () => this.stopProcess()],
      ['cpu-kill-with-file', () => this.killGently('CPU exhausted', CPU_USED)],
      ['limit-reached', () => this.reachLimit()],
    ];
    for (const [name, blow] of strikes) {
      const fault = this.around.faults.strike(name, this.roomName);
      if (fault) this.plan(faultDelay(fault, 'strikeMs', this.around.timings), blow);
    }
  }

  private get pace(): RecorderTimings {
    return this.order.usesBrowser ? this.around.timings.browser : this.around.timings.audio;
  }

  private get roomName(): string {
    return this.order.roomName;
  }

  private join(): void {
    const room = this.around.rooms.find(this.roomName);
    this.phase = 'waiting';
    if (!room || room.sid !== this.info.roomId) {
      this.announceUp();
      return this.end('Source closed');
    }
    this.inRoom = true;
    this.around.rooms.join(this.roomName, this.info.egressId, 'recorder');
    this.announceUp();
    if (room.publishers.length > 0) this.signal();
  }

  private activate(): void {
    this.phase = 'recording';
    setMediaStart(this.info, this.order, this.now());
    this.info.status = EgressStatus.EGRESS_ACTIVE;
    this.info.updatedAt = this.now();
    this.report();
    this.segments?.begin();
    this.strike();
  }

  private abort(reason: EndReason): void {
    this.leave();
    this.exit();
    const fault = { error: 'Start signal not received', errorCode: 412 };
    setEnded(this.info, EgressStatus.EGRESS_ABORTED, this.now(), reason, fault);
    this.report();
  }

  private finish(ending: Ending): void {
    this.cancelPlans();
    this.phase = 'finishing';
    this.ending = ending;
    this.mediaEnd ||= this.info.fileResults[0]?.endedAt || this.now();
    this.plan(this.around.timings.recorderLeavesMs, () => this.leave());
    const { faults, timings } = this.around;
    const frozen = faults.strike('pipeline-frozen', this.roomName);
    if (frozen || this.wedged)
      return this.plan(frozen?.delayMs ?? timings.eosMs, () => this.breakDown('pipeline frozen'));
    const segments = this.segments?.end();
    const slow = faults.strike('upload-slow', this.roomName);
    const extraMs = slow ? faultDelay(slow, 'slowUploadMs', timings) : 0;
    this.plan(this.pace.uploadMs + extraMs, () => void this.deliver(ending, segments));
  }

  private async deliver({ status, reason, fault, endedAt }: Ending, segments?: Promise<void>): Promise<void> {
    if (this.orphaned) return this.vanish();
    await segments;
    if (this.phase !== 'finishing') return;
    setMediaEnd(this.info, this.order, this.mediaEnd);
    const delivered = await this.around.uploader.upload(this.info, this.order);
    // Killed while it uploaded: whatever arrived, nobody is told.
    if (this.phase !== 'finishing') return;
    const at = endedAt ?? this.now();
    if (delivered.kind === 'failed') {
      const refused = { error: delivered.error, errorCode: 400 };
      setEnded(this.info, EgressStatus.EGRESS_FAILED, at, reason, refused);
    } else {
      setFile(this.info, this.order, { size: delivered.size, location: delivered.location });
      this.info.manifestLocation = delivered.manifestLocation;
      this.info.backupStorageUsed = delivered.backup === true;
      setEnded(this.info, status, at, reason, fault);
    }
    this.leave();
    this.exit();
    this.report();
    if (this.around.faults.strike('complete-then-failed', this.roomName)) {
      this.around.scheduler.after(this.around.timings.launchMs, () => this.reportCrash('exit status 1'));
    }
  }

  /** What it records can't be uploaded: it ends, with what it has so far. */
  private failUpload(error: string): void {
    if (this.phase !== 'recording' && this.phase !== 'finishing') return;
    if (this.orphaned) return this.vanish();
    this.leave();
    this.exit();
    setEnded(this.info, EgressStatus.EGRESS_FAILED, this.now(), 'Failure', { error, errorCode: 400 });
    this.report();
  }

  /** The worker's last word on a child that is gone, from what it knew at the start. */
  private reportCrash(error: string): void {
    const last = this.asAccepted.clone();
    setEnded(last, EgressStatus.EGRESS_FAILED, this.now(), null, { error, errorCode: 500 });
    this.service.report(last);
  }

  private report(): void {
    if (!this.orphaned) this.service.report(this.info);
  }

  /** An orphan has nobody to report to and uploads nothing. */
  private vanish(): void {
    this.leave();
    this.exit();
  }

  private leave(reason = DisconnectReason.CLIENT_INITIATED): void {
    if (!this.inRoom) return;
    this.inRoom = false;
    // A room that gave it up, or was closed meanwhile, has shown it out already.
    if (!this.around.rooms.find(this.roomName)?.participants.has(this.info.egressId)) return;
    this.around.rooms.leave(this.roomName, this.info.egressId, reason);
  }

  private leaveLater(ms: number): void {
    this.around.scheduler.after(ms, () => this.leave(DisconnectReason.CONNECTION_TIMEOUT));
  }

  private exit(): void {
    this.cancelPlans();
    this.segments?.stop();
    this.phase = 'gone';
    this.service.childGone(this.info.egressId);
    this.announceUp();
  }

  private plan(ms: number, task: () => void): void {
    this.plans.push(this.around.scheduler.after(ms, task));
  }

  private cancelPlans(): void {
    for (const cancel of this.plans.splice(0)) cancel();
  }

  private now(): bigint {
    return this.around.chance.nanoseconds(this.around.scheduler.clock.now());
  }
}
