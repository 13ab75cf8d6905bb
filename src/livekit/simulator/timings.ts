/** How long an egress of one kind takes from step to step, ms. */
export interface RecorderTimings {
  /** From the start of its process to its appearance in the room. */
  readonly joinMs: number;
  /** From its appearance, somebody publishing, to ACTIVE. */
  readonly signalMs: number;
  /** From ENDING to the end of the upload. */
  readonly uploadMs: number;
}

/** Every wait of the simulated server, ms unless said otherwise. */
export interface SimulatorTimings {
  /** What LiveKit's own settings in seconds (a room's timeouts) are multiplied with. */
  readonly scale: number;
  /** An ordinary answer. */
  readonly answerMs: number;
  /** How long a worker without a recording waits for others before it takes a start; a busy one does not. */
  readonly idleBidMs: number;
  readonly busyBidMs: number;
  /** From the acceptance of a start to its answer. */
  readonly launchMs: number;
  /** How long a start is held that no worker takes: between the two. */
  readonly noWorkerMs: readonly [number, number];
  /** When nobody answers for an egress. */
  readonly silenceMs: number;
  /** How long a stop waits for a recorder that has not come up yet. */
  readonly stopWaitMs: number;
  readonly audio: RecorderTimings;
  readonly browser: RecorderTimings;
  /** How long a pipeline may take to end. */
  readonly eosMs: number;
  /** From ENDING to the recorder's leaving the room. */
  readonly recorderLeavesMs: number;
  /** When the room gives up a recorder that died with its worker: between the two. */
  readonly deadRecorderLeavesMs: readonly [number, number];
  /** When the room gives up a recorder that crashed alone. */
  readonly crashedRecorderLeavesMs: number;
  /** The age that the shown counts of a room can have. */
  readonly countsAgeMs: number;
  readonly emptyTimeoutSeconds: number;
  readonly departureTimeoutSeconds: number;
  /** A restart of livekit-server: how long it is away, and how long its rooms look empty afterwards. */
  readonly restartMs: number;
  readonly roomsLookEmptyMs: number;
  /** The pauses between the attempts to deliver a webhook. */
  readonly webhookPausesMs: readonly number[];
  /** A webhook queued for longer is dropped. */
  readonly webhookMaxAgeMs: number;
  /** How long an ended egress stays in the list. */
  readonly retentionMs: number;
  /** What the faults that take time take, unless they name their own. */
  readonly fault: {
    readonly slowStartMs: number;
    readonly slowUploadMs: number;
    /** From ACTIVE to a crash, a kill or a limit. */
    readonly strikeMs: number;
    readonly lateWebhookMs: number;
    readonly reorderMs: number;
  };
}

/** As seen on livekit-server 1.13 with egress 1.14. */
export const REAL_TIMINGS: SimulatorTimings = {
  scale: 1,
  answerMs: 3,
  idleBidMs: 500,
  busyBidMs: 50,
  launchMs: 45,
  noWorkerMs: [18_000, 27_000],
  silenceMs: 3_000,
  stopWaitMs: 15_000,
  audio: { joinMs: 60, signalMs: 400, uploadMs: 150 },
  browser: { joinMs: 2_600, signalMs: 1_400, uploadMs: 450 },
  eosMs: 30_000,
  recorderLeavesMs: 100,
  deadRecorderLeavesMs: [21_000, 23_000],
  crashedRecorderLeavesMs: 30_000,
  countsAgeMs: 5_000,
  emptyTimeoutSeconds: 300,
  departureTimeoutSeconds: 20,
  restartMs: 1_000,
  roomsLookEmptyMs: 5_000,
  webhookPausesMs: [1_000, 2_000, 4_000, 8_000],
  webhookMaxAgeMs: 30_000,
  retentionMs: 86_400_000,
  fault: {
    slowStartMs: 15_700,
    slowUploadMs: 30_000,
    strikeMs: 5_000,
    lateWebhookMs: 20_000,
    reorderMs: 2_000,
  },
};

/** Real, except that nobody who tries the product out has to wait long for a browser to come up. */
export const PLEASANT_TIMINGS: SimulatorTimings = {
  ...REAL_TIMINGS,
  browser: { joinMs: 700, signalMs: 700, uploadMs: 450 },
  countsAgeMs: 1_000,
};

/** All waits multiplied by `factor`: 0.05 makes an hour of three minutes. */
export function scaledTimings(factor: number, timings: SimulatorTimings = REAL_TIMINGS): SimulatorTimings {
  const scaled = Object.entries(timings).map(([name, value]) => [name, scaleValue(name, value, factor)]);
  return Object.fromEntries(scaled) as unknown as SimulatorTimings;
}

type TimingValue = number | readonly number[] | { readonly [name: string]: number };

function scaleValue(name: string, value: TimingValue, factor: number): TimingValue {
  // A room's timeouts are shown to clients in seconds as they are; `scale` shortens what they mean.
  if (name.endsWith('Seconds')) return value;
  if (typeof value === 'number') return value * factor;
  if (isList(value)) return value.map((ms) => ms * factor);
  return Object.fromEntries(Object.entries(value).map(([key, ms]) => [key, ms * factor]));
}

function isList(value: TimingValue): value is readonly number[] {
  return Array.isArray(value);
}
