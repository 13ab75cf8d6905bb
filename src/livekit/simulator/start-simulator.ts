import { type Clock, SystemClock } from '../../kernel/clock.js';
import type { Random } from './chance.js';
import { type KeptSimulator, type OpenLiveRoom, SimulatorEngine } from './engine.js';
import type { MakeSegment } from './segment-media.js';
import { writeMediaForReal } from './media-writer.js';
import type { RecordMedia, WriteMedia } from './recorded-media.js';
import { PLEASANT_TIMINGS, type SimulatorTimings } from './timings.js';
import { httpReceiver } from './webhook-http.js';
import { WireServer } from './wire-server.js';

export interface StartSimulator {
  /** 0 or absent: any free one, on this machine alone. */
  readonly port?: number;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Where webhooks go; absent: nowhere, until the engine is told. */
  readonly webhookUrl?: string;
  /** What an earlier one kept, gone on with. */
  readonly kept?: KeptSimulator | null;
  /** Rooms that are open from the beginning, by name; they stay open, as their publishers never leave. */
  readonly rooms?: Readonly<Record<string, OpenLiveRoom>>;
  readonly timings?: SimulatorTimings;
  readonly random?: Random;
  readonly clock?: Clock;
  readonly writeMedia?: WriteMedia;
  /** Absent: a few seconds of a real recording, whatever was asked for. */
  readonly recordMedia?: RecordMedia;
  /** Absent: pictures of that recording. */
  readonly makeSegment?: MakeSegment;
}

export interface RunningSimulator {
  /** Of LiveKit's API, `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly engine: SimulatorEngine;
  /** Ends everything at once; what was not delivered is lost. */
  close(): Promise<void>;
}

/** A simulated LiveKit on a port. Rejects when the port is taken. */
export async function startSimulator(options: StartSimulator): Promise<RunningSimulator> {
  const { clock = new SystemClock(), writeMedia = writeMediaForReal, timings = PLEASANT_TIMINGS } = options;
  const { apiKey, apiSecret, random, recordMedia, makeSegment, webhookUrl, port = 0 } = options;
  const media = { writeMedia, recordMedia, makeSegment };
  const engine = new SimulatorEngine({ clock, ...media, timings, apiKey, apiSecret, random });
  const closing = new AbortController();
  if (webhookUrl !== undefined) engine.setReceiver(httpReceiver(webhookUrl, closing.signal));
  const server = new WireServer(engine, { apiKey, apiSecret, port });
  const listensOn = await server.listen();
  if (options.kept) engine.restore(options.kept);
  for (const [name, room] of Object.entries(options.rooms ?? {})) {
    if (!engine.rooms.find(name)) engine.openRoom(name, room);
  }
  return {
    url: `http://127.0.0.1:${listensOn}`,
    engine,
    close: async () => {
      engine.close();
      closing.abort();
      await server.close();
    },
  };
}
