import { newRecordingId, type RecordingId, type RoomId } from '../../src/kernel/ids.js';
import { newRecording } from '../../src/recordings/domain/new-recording.js';
import { EVENTS_CHANNEL, keys } from '../../src/redis/keys.js';
import { HookReceiver } from '../../test/support/hook-receiver.js';
import type { Bench, Figures } from '../support/figures.js';
import { percentiles, rounded } from '../support/figures.js';
import { pause } from '../support/load.js';
import { idleRates } from '../support/measure.js';
import { Target } from '../support/target.js';

const ENDPOINTS = 10;
const A_MINUTE = 10_000;
const VERSIONS = 5;
/** So many recordings change in turns. */
const AT_ONCE = 40;
const PATIENCE_MS = 60_000;
const CREATE =
  'mutation Create($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret endpoint { id } } }';
const EVENTS = ['RECORDING_REQUESTED', 'RECORDING_UPDATED'];

interface Receiver {
  readonly id: string;
  readonly hooks: HookReceiver;
  /** From the event to its arrival, ms. */
  readonly lags: number[];
  /** What came against the promise: unbelievable, with a gap, or in another order. */
  readonly wrong: string[];
}

export const webhooksOut: Bench = {
  name: 'webhooks-out',
  measures: `${A_MINUTE} deliveries a minute to ${ENDPOINTS} endpoints, one of which takes connections and never answers`,
  run: async ({ quick }) => {
    const seconds = quick ? 3 : 60;
    const events = Math.round((A_MINUTE / 60 / ENDPOINTS) * seconds);
    const target = await Target.start({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
    const receivers: Receiver[] = [];
    try {
      for (let i = 0; i < ENDPOINTS; i += 1) receivers.push(await listen(target, i === ENDPOINTS - 1));
      return [await deliver(target, receivers, events, seconds)];
    } finally {
      for (const { hooks } of receivers) await hooks.close();
      await target.close();
    }
  },
};

async function deliver(
  target: Target,
  receivers: readonly Receiver[],
  events: number,
  seconds: number,
): Promise<Figures> {
  const [dead, ...well] = receivers.toReversed();
  const idle = await idleRates(target);
  const [before, usageBefore, begun] = [await target.counts(), target.usage(), performance.now()];
  await tell(target, events, seconds);
  for (const late = performance.now() + PATIENCE_MS; well.some(({ lags }) => lags.length < events);) {
    if (performance.now() > late) throw new Error('not everything came within a minute of the last event');
    await pause(50);
  }
  const [after, usage] = [await target.counts(), target.usage()];
  const elapsed = (performance.now() - begun) / 1_000;
  const [wrong] = receivers.flatMap((receiver) => [...receiver.wrong, ...receiver.hooks.disbelieved]);
  if (wrong !== undefined) throw new Error(wrong);
  const { webhookEndpoint } = await target.graphql<{ webhookEndpoint: { backlog: number } }>(
    'query Backlog($id: ID!) { webhookEndpoint(id: $id) { backlog } }',
    { id: dead?.id },
  );
  const delivered = events * well.length;
  const redisCommands = after.redisCommands - before.redisCommands;
  return {
    what: `webhooks to ${well.length} endpoints beside a dead one, from the event to its arrival`,
    conditions: { events, endpoints: receivers.length, deliveriesAMinute: A_MINUTE, seconds },
    latencyMs: percentiles(well.flatMap(({ lags }) => lags)),
    perSecond: rounded(delivered / elapsed, 1),
    cpuMsEach: rounded(Math.max(0, usage.cpuMs - usageBefore.cpuMs - idle.cpuMs * elapsed) / delivered),
    peakRssMiB: rounded(usage.peakRssMiB, 0),
    counts: {
      redisCommandsEach: rounded((redisCommands - idle.redisCommands * elapsed) / delivered, 1),
      redisCommandsASecondIdle: rounded(idle.redisCommands, 1),
      attemptsAtTheDead: dead?.hooks.came.length ?? 0,
      waitForTheDead: webhookEndpoint.backlog,
    },
  };
}

/** Every event at its own time, as the commit of a recording writes it. */
async function tell({ redisClient }: Target, events: number, seconds: number): Promise<void> {
  const ids = new Map<number, RecordingId>();
  const begun = Date.now();
  for (let i = 0; i < events; i += 1) {
    const due = begun + (i * seconds * 1_000) / events;
    if (due > Date.now()) await pause(due - Date.now());
    const block = Math.floor(i / (AT_ONCE * VERSIONS));
    const which = block * AT_ONCE + (i % AT_ONCE);
    const version = Math.floor((i % (AT_ONCE * VERSIONS)) / AT_ONCE) + 1;
    const now = Date.now();
    const id = ids.get(which) ?? newRecordingId(now);
    ids.set(which, id);
    const event = JSON.stringify(eventOf(id, `room-${which % 20}` as RoomId, version, now));
    await redisClient.multi().xadd(keys.events(), '*', 'event', event).publish(EVENTS_CHANNEL, '').exec();
  }
}

function eventOf(id: RecordingId, roomId: RoomId, version: number, at: number): object {
  const { upkeep: _, ...first } = newRecording({
    ...{
      id,
      roomId,
      roomName: 'A room',
      layout: 'GRID',
      preset: 'H264_720P_30',
      audioOnly: false,
      crashProof: false,
    },
    ...{ labels: { team: 'one' }, maxDurationMs: 21_600_000, requestedAt: at, startLimitMs: 35_000 },
  });
  const status = version === 1 ? 'STARTING' : 'ACTIVE';
  return {
    ...{ type: version === 1 ? 'REQUESTED' : 'UPDATED', at, cause: 'bench', previousStatus: null },
    recording: { ...first, status, version, updatedAt: at },
  };
}

async function listen(target: Target, isDead: boolean): Promise<Receiver> {
  const hooks = await HookReceiver.listen();
  const lags: number[] = [];
  const wrong: string[] = [];
  const versions = new Map<string, number>();
  hooks.manner = ({ body, recording }) => {
    if (isDead) return null;
    const before = versions.get(recording.id) ?? 0;
    if (recording.version > before + 1) wrong.push(`version ${recording.version} came after ${before}`);
    if (recording.version !== before + 1) return 204;
    versions.set(recording.id, recording.version);
    lags.push(Date.now() - Date.parse(body.timestamp));
    return 204;
  };
  const { createWebhookEndpoint: made } = await target.graphql<{
    createWebhookEndpoint: { secret: string; endpoint: { id: string } };
  }>(CREATE, { input: { url: hooks.url, events: EVENTS } });
  hooks.secret = made.secret;
  return { id: made.endpoint.id, hooks, lags, wrong };
}
