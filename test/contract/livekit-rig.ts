import { SystemClock } from '../../src/kernel/clock.js';
import { newRecordingId } from '../../src/kernel/ids.js';
import type { LiveKit } from '../../src/livekit/livekit.port.js';
import type { EgressSeen, EgressStatus, LiveKitEvent, StartEgress } from '../../src/livekit/livekit.types.js';
import type { ObjectStorage } from '../../src/storage/object-storage.port.js';
import { eventually } from '../support/eventually.js';

/** A LiveKit to try the port on. */
export interface Rig {
  readonly livekit: LiveKit;
  /** The same server, asked with a secret that is not its own. Null where nobody looks at credentials. */
  readonly stranger: { readonly livekit: LiveKit; readonly secret: string } | null;
  /** Somebody publishes in it. */
  readonly room: string;
  /** Open, and nobody publishes in it. Not asked for where the battery is told that there is none. */
  silentRoom(): Promise<string>;
  /** Where egresses put their files. */
  readonly storage: ObjectStorage;
  /** Webhooks that were believed, each once, in the order of arrival. */
  events(): LiveKitEvent[];
  /** Why webhooks were not believed. */
  refusedWebhooks(): readonly string[];
  readonly patience: Patience;
  close(): Promise<void>;
}

/** How long the server may take, ms. */
export interface Patience {
  /** Until a worker that is busy takes a start. */
  readonly startMs: number;
  /** From the answer of a start to ACTIVE. */
  readonly activeMs: number;
  /** From a stop to the end of the upload. */
  readonly endMs: number;
  /** From what happened to the webhook about it, and to what the room shows of it. */
  readonly echoMs: number;
  /** How long something is recorded: too little media is no media. */
  readonly recordMs: number;
}

/** What a LiveKit under test can't be brought to do, and why. */
export type Cannot = Partial<Record<(typeof NEEDS)[number], string>>;

const NEEDS = ['stop while starting', 'video', 'bad credentials'] as const;

/** Reads `video, bad credentials`: what whoever runs the battery says of that LiveKit. A name that means nothing is thrown, lest it leave nothing out. */
export function cannotFrom(text: string, why: string): Cannot {
  const names = text.split(',').map((name) => name.trim());
  const wanted = names.filter((name) => name !== '');
  const unknown = wanted.filter((name) => !NEEDS.some((need) => need === name));
  if (unknown.length > 0) {
    throw new Error(
      `the battery knows no "${unknown.join('", "')}" to leave out: it knows ${NEEDS.join(', ')}`,
    );
  }
  return Object.fromEntries(wanted.map((name) => [name, why]));
}

/** One case of the battery; `needs` names what not every LiveKit can be brought to do. */
export interface BatteryCase {
  readonly title: string;
  readonly needs?: keyof Cannot;
  readonly body: (rig: Rig, run: RigRun) => Promise<void>;
}

const FINAL: readonly EgressStatus[] = ['COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'];

export const isOver = ({ status }: EgressSeen): boolean => FINAL.includes(status);

/** One run's recordings on a rig: what it started, it can end and remove. */
export class RigRun {
  private readonly clock = new SystemClock();
  private readonly started: { readonly egressId: string; readonly key: string }[] = [];

  constructor(private readonly rig: Rig) {}

  newKey(roomName: string, audioOnly = true): string {
    return `recordings/${roomName}/${newRecordingId(this.clock.now())}.${audioOnly ? 'ogg' : 'mp4'}`;
  }

  request(roomName: string, key: string, more: Partial<StartEgress> = {}): StartEgress {
    const output = this.rig.storage.egressOutput(key);
    const start = { roomName, layout: 'grid', preset: 'H264_720P_30', audioOnly: true } as const;
    return { ...start, output, segments: null, ...more };
  }

  /**
   * A worker whose CPU is taken for a moment offers nothing and LiveKit says so in the end; such a start is asked again,
   * everything else but an acceptance is a failure.
   */
  async start(
    roomName: string,
    more: Partial<StartEgress> = {},
  ): Promise<{ egress: EgressSeen; key: string }> {
    const key = this.newKey(roomName, more.audioOnly ?? true);
    const until = this.clock.now() + this.rig.patience.startMs;
    for (;;) {
      const outcome = await this.rig.livekit.startEgress(this.request(roomName, key, more));
      if (outcome.kind === 'accepted') {
        this.started.push({ egressId: outcome.egress.egressId, key });
        return { egress: outcome.egress, key };
      }
      const nobodyWasFree = outcome.kind === 'unknown' && outcome.status === 503;
      if (!nobodyWasFree || this.clock.now() >= until)
        throw new Error(`no egress was started: ${outcome.why}`);
    }
  }

  /** The egress once it is `status`; fails as soon as it has ended in another. */
  async until(egressId: string, status: EgressStatus, withinMs: number): Promise<EgressSeen> {
    let seen: EgressSeen | null = null;
    await eventually(
      async () => {
        seen = await this.rig.livekit.findEgress(egressId);
        if (seen === null) return `${egressId} is not known`;
        return seen.status === status || isOver(seen) || `${egressId} is ${seen.status}, not ${status}`;
      },
      { withinMs, everyMs: 100 },
    );
    const found = seen as EgressSeen | null;
    if (found?.status !== status) {
      throw new Error(`${egressId} ended ${found?.status} (${found?.error ?? 'no error'}), not ${status}`);
    }
    return found;
  }

  /** Lets an ACTIVE egress record for a while. */
  async record(active: EgressSeen): Promise<void> {
    const { recordMs } = this.rig.patience;
    const since = this.clock.now();
    await eventually(
      () => this.clock.now() - since >= recordMs || `${active.egressId} has recorded too little`,
      {
        withinMs: recordMs + 5_000,
      },
    );
  }

  egressEvents(egressId: string): EgressSeen[] {
    return this.rig
      .events()
      .flatMap((event) =>
        event.kind === 'egress' && event.egress.egressId === egressId ? [event.egress] : [],
      );
  }

  /** Whatever is still running of this run, after a failure too, is stopped; what it recorded is removed. */
  async cleanUp(): Promise<void> {
    const { livekit, storage, patience } = this.rig;
    for (const { egressId } of this.started) {
      await eventually(
        async () => {
          const egress = await livekit.findEgress(egressId);
          if (egress === null || isOver(egress)) return true;
          if (egress.status !== 'ENDING') await livekit.stopEgress(egressId);
          return `${egressId} still runs`;
        },
        { withinMs: patience.endMs, everyMs: 250 },
      );
    }
    await storage.deleteMany(this.started.map(({ key }) => key));
    this.started.length = 0;
  }
}
