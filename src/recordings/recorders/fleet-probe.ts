import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { LiveKit } from '../../livekit/livekit.port.js';

interface Asked {
  readonly askedAt: number;
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
    const asked: Asked = { askedAt: this.clock.now(), answer: this.ask(roomName) };
    this.latest = asked;
    // A question that failed was none: the next one asks anew.
    asked.answer.catch(() => {
      if (this.latest === asked) this.latest = null;
    });
    return asked.answer;
  }

  private async ask(roomName: string): Promise<boolean> {
    const answer = await this.livekit.askFleet(roomName);
    if (answer !== 'room-not-open') return answer === 'there';
    const [other] = await this.livekit.listRooms();
    return other !== undefined && (await this.livekit.askFleet(other.name)) === 'there';
  }
}
