import { EgressStatus } from '@livekit/protocol';
import type { EgressOutput, StartEgress } from '../../src/livekit/livekit.types.js';
import { SimulatorEngine } from '../../src/livekit/simulator/engine.js';
import { InProcessLiveKit } from '../../src/livekit/simulator/in-process.js';
import { bytesOf, UploadRefused } from '../../src/livekit/simulator/recorded-media.js';
import type { SimulatorTimings } from '../../src/livekit/simulator/timings.js';
import type { WebhookDelivery } from '../../src/livekit/simulator/webhook-http.js';
import { seededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

/** A simulated LiveKit on a virtual clock, with what it wrote and what it told. */
export class SimulatedLiveKit {
  readonly clock = new VirtualClock();
  /** By path, whatever storage the request named. */
  readonly media = new Map<string, Buffer>();
  /** The storage takes nothing. */
  refuses = false;
  readonly delivered: WebhookDelivery[] = [];
  readonly engine: SimulatorEngine;
  readonly livekit: InProcessLiveKit;

  constructor({ seed = 1, timings }: { seed?: number; timings?: SimulatorTimings } = {}) {
    this.engine = new SimulatorEngine({
      clock: this.clock,
      random: seededRandom(seed),
      apiKey: 'devkey',
      apiSecret: 'devsecret-devsecret-devsecret-32x',
      writeMedia: async (output: EgressOutput, chunks: Iterable<Buffer>) => {
        if (this.refuses) throw new UploadRefused('S3 upload failed');
        this.media.set(output.filepath, bytesOf(chunks));
      },
      makeSegment: async ({ startsAt, seconds }) => Buffer.from(`${startsAt}+${seconds}`),
      timings,
    });
    this.engine.setReceiver(async (delivery) => {
      this.delivered.push(delivery);
      return { status: 200 };
    });
    this.livekit = new InProcessLiveKit(this.engine);
  }

  /** `event` and, for an egress, its status, in the order of their arrival. */
  get told(): string[] {
    return this.delivered.map(({ event }) => {
      const who = event.participant?.identity;
      if (event.egressInfo)
        return `${event.event} ${EgressStatus[event.egressInfo.status].slice('EGRESS_'.length)}`;
      return who?.startsWith('EG_') ? `${event.event} recorder` : event.event;
    });
  }

  toldOfEgresses(): string[] {
    return this.told.filter((line) => line.startsWith('egress_'));
  }

  /** Waits, in virtual time, for what `promise` comes to. */
  answer<T>(promise: Promise<T>): Promise<T> {
    return this.clock.until(promise);
  }

  /** What the promise comes to and how long that takes, in virtual ms. */
  async timed<T>(promise: Promise<T>): Promise<{ value: T; tookMs: number }> {
    const since = this.clock.now();
    const value = await this.clock.until(promise);
    return { value, tookMs: this.clock.now() - since };
  }

  /** The id of an egress whose start was accepted. */
  async started(roomName: string, changes: Partial<StartEgress> = {}): Promise<string> {
    const outcome = await this.answer(this.livekit.startEgress(aStart(roomName, changes)));
    if (outcome.kind !== 'accepted')
      throw new Error(`the start was not accepted: ${JSON.stringify(outcome)}`);
    return outcome.egress.egressId;
  }

  /** The id of an egress that records. */
  async recording(roomName: string, changes: Partial<StartEgress> = {}): Promise<string> {
    if (!this.engine.rooms.find(roomName)) this.engine.openRoom(roomName);
    const egressId = await this.started(roomName, changes);
    await this.clock.advance(10_000);
    const status = this.status(egressId);
    if (status !== 'ACTIVE') throw new Error(`the egress is ${status} after ten seconds`);
    return egressId;
  }

  /** As the list has it; GONE when it isn't listed. */
  status(egressId: string): string {
    const info = this.engine.egress(egressId);
    return info ? EgressStatus[info.status].slice('EGRESS_'.length) : 'GONE';
  }
}

export function aStart(roomName: string, changes: Partial<StartEgress> = {}): StartEgress {
  const audioOnly = changes.audioOnly ?? false;
  return {
    roomName,
    layout: 'grid',
    preset: 'H264_720P_30',
    audioOnly,
    segments: null,
    output: { kind: 'file', filepath: `/recordings/${roomName}.${audioOnly ? 'ogg' : 'mp4'}` },
    ...changes,
  };
}
