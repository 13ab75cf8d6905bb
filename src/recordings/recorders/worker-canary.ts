import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { WorkerKind } from '../../livekit/livekit.types.js';
import { LeaseKeeper } from '../../locks/lease-keeper.js';
import { WORKER_KINDS, WorkerAvailability } from './worker-availability.port.js';

const ASK_EVERY_MS = 30_000;
/** While nobody is there, so that who comes back is seen; a question that finds nobody stays open for half a minute. */
const ASK_AGAIN_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const LEASE_MS = 20_000;

interface Asking {
  askedAt: number;
  isThere: boolean;
  open: number;
}
/** Of one kind at a time. */
const MOST_OPEN = 8;

/**
 * Asks LiveKit, while a room is open, whether an egress worker would take a recording: a start without any output, which
 * creates nothing. One process asks for all, as long as it lives.
 */
@Injectable()
export class WorkerCanary implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Recorders');
  private readonly over = new AbortController();
  private watching: Promise<void> = Promise.resolve();
  private readonly asking = new Map<WorkerKind, Asking>(
    WORKER_KINDS.map((kind) => [kind, { askedAt: -Infinity, isThere: true, open: 0 }]),
  );

  constructor(
    private readonly livekit: LiveKit,
    private readonly availability: WorkerAvailability,
    private readonly leases: LeaseKeeper,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role === 'api') return;
    this.watching = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.watching;
  }

  private async watch(): Promise<void> {
    do {
      try {
        await this.leases.withLease('worker-canary', LEASE_MS, (lost) => this.watchWhileFirst(lost));
      } catch (error) {
        this.tellUnasked(error);
      }
    } while (await this.pause());
  }

  private async watchWhileFirst(lost: AbortSignal): Promise<void> {
    do await this.askDue().catch((error: unknown) => this.tellUnasked(error));
    while ((await this.pause()) && !lost.aborted);
  }

  /** Begins the questions that are due; their answers are not waited for. Throws LIVEKIT_UNAVAILABLE. */
  private async askDue(): Promise<void> {
    const now = this.clock.now();
    const due = [...this.asking].filter(
      ([, { askedAt, isThere, open }]) =>
        open < MOST_OPEN && now - askedAt >= (isThere ? ASK_EVERY_MS : ASK_AGAIN_MS),
    );
    if (due.length === 0) return;
    // Also where no room is open, or none can be asked for: both are no reason to ask every second.
    for (const [, asking] of due) asking.askedAt = now - ASK_EVERY_MS + ASK_AGAIN_MS;
    const [room] = await this.livekit.listRooms();
    if (room === undefined) return;
    for (const [, asking] of due) asking.askedAt = now;
    for (const [kind, asking] of due) void this.ask(room.name, kind, asking, now);
  }

  private async ask(roomName: string, kind: WorkerKind, asking: Asking, askedAt: number): Promise<void> {
    asking.open += 1;
    try {
      const answer = await this.livekit.askFleet(roomName, kind);
      if (answer === 'room-not-open') return;
      asking.isThere = answer === 'there';
      await this.availability.note(kind, asking.isThere, askedAt);
    } catch (error) {
      this.tellUnasked(error);
    } finally {
      asking.open -= 1;
    }
  }

  private tellUnasked(error: unknown): void {
    this.log.debug({
      event: 'workers_not_asked',
      message: 'it is not known whether an egress worker is there; asked again',
      cause: String(error),
    });
  }

  private async pause(): Promise<boolean> {
    return this.clock.sleep(LOOK_EVERY_MS, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
