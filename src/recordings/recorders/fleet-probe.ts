import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { LiveKit } from '../../livekit/livekit.port.js';

/** An answer as old as this still tells whether it is worth to start something. */
const FRESH_MS = 3_000;
/** The dearest: whoever takes it takes any. */
const KIND = 'room_composite';

interface Asked {
  readonly askedAt: number;
  answered: boolean;
  readonly answer: Promise<boolean>;
}

/**
 * The control question, whether any worker is there, asked once for all who want to know at the same time: where nobody
 * is there, LiveKit takes half a minute to say so.
 */
@Injectable()
export class FleetProbe {
  private latest: Asked | null = null;

  constructor(
    private readonly livekit: LiveKit,
    private readonly clock: Clock,
  ) {}

  /** Whether a worker answered a question that was asked after `since`, in this room or, where it is not open, in any that is. Throws LIVEKIT_UNAVAILABLE. */
  async isThere(roomName: string, since: number): Promise<boolean> {
    if (this.latest !== null && this.latest.askedAt > since) return this.latest.answer;
    return this.askAnew(roomName);
  }

  /** Whether a worker is there as far as anybody knows: a question that is on its way, or was answered just now, is asked once. */
  async isThereNow(roomName: string): Promise<boolean> {
    const { latest } = this;
    const shared = latest !== null && (!latest.answered || this.clock.now() - latest.askedAt < FRESH_MS);
    return shared ? latest.answer : this.askAnew(roomName);
  }

  /** The place that the last answer told of is used: whoever wants one asks anew. */
  taken(): void {
    if (this.latest?.answered) this.latest = null;
  }

  private askAnew(roomName: string): Promise<boolean> {
    const asked: Asked = { askedAt: this.clock.now(), answered: false, answer: this.ask(roomName) };
    this.latest = asked;
    asked.answer.then(
      () => (asked.answered = true),
      // A question that failed was none: the next one asks anew.
      () => {
        if (this.latest === asked) this.latest = null;
      },
    );
    return asked.answer;
  }

  private async ask(roomName: string): Promise<boolean> {
    const answer = await this.livekit.askFleet(roomName, KIND);
    if (answer !== 'room-not-open') return answer === 'there';
    const [other] = await this.livekit.listRooms();
    return other !== undefined && (await this.livekit.askFleet(other.name, KIND)) === 'there';
  }
}
