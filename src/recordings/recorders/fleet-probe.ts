import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { WorkerKind } from '../../livekit/livekit.types.js';

/** An answer as old as this still tells whether it is worth to start something. */
const FRESH_MS = 3_000;
/** The cheapest: a worker that is too busy for anything else still answers that it is there. */
const CONTROL: WorkerKind = 'room_composite_audio';

interface Asked {
  readonly askedAt: number;
  answered: boolean;
  readonly answer: Promise<boolean>;
}

/**
 * The control question, whether a worker is there that would take a recording of a kind, asked once for all who want to know
 * at the same time: where nobody is there, LiveKit takes half a minute to say so.
 */
@Injectable()
export class FleetProbe {
  private readonly latest = new Map<WorkerKind, Asked>();

  constructor(
    private readonly livekit: LiveKit,
    private readonly clock: Clock,
  ) {}

  /** Whether any worker answered a question that was asked after `since`, in this room or, where it is not open, in any that is. Throws LIVEKIT_UNAVAILABLE. */
  async isThere(roomName: string, since: number): Promise<boolean> {
    const latest = this.latest.get(CONTROL);
    if (latest !== undefined && latest.askedAt > since) return latest.answer;
    return this.askAnew(roomName, CONTROL);
  }

  /** Whether a worker has a place for one of this kind, as far as anybody knows: a question that is on its way, or was answered just now, is asked once. */
  async isThereNow(roomName: string, kind: WorkerKind): Promise<boolean> {
    const latest = this.latest.get(kind);
    const isShared =
      latest !== undefined && (!latest.answered || this.clock.now() - latest.askedAt < FRESH_MS);
    return isShared ? latest.answer : this.askAnew(roomName, kind);
  }

  /** The place that the last answer told of is used, whatever kind it was asked for: whoever wants one asks anew. */
  taken(): void {
    for (const [kind, { answered }] of this.latest) if (answered) this.latest.delete(kind);
  }

  private askAnew(roomName: string, kind: WorkerKind): Promise<boolean> {
    const asked: Asked = { askedAt: this.clock.now(), answered: false, answer: this.ask(roomName, kind) };
    this.latest.set(kind, asked);
    asked.answer.then(
      () => (asked.answered = true),
      // A question that failed was none: the next one asks anew.
      () => {
        if (this.latest.get(kind) === asked) this.latest.delete(kind);
      },
    );
    return asked.answer;
  }

  private async ask(roomName: string, kind: WorkerKind): Promise<boolean> {
    const answer = await this.livekit.askFleet(roomName, kind);
    if (answer !== 'room-not-open') return answer === 'there';
    const [other] = await this.livekit.listRooms();
    return other !== undefined && (await this.livekit.askFleet(other.name, kind)) === 'there';
  }
}
