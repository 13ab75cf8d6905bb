import { createHash } from 'node:crypto';
import { type EgressInfo, WebhookEvent } from '@livekit/protocol';
import { signToken } from '../../src/livekit/simulator/webhook-outbox.js';
import { eventually } from '../../test/support/eventually.js';
import type { Bench } from '../support/figures.js';
import { times } from '../support/load.js';
import { measure } from '../support/measure.js';
import { openRooms, startIn, stopAll } from '../support/rooms.js';
import { API_KEY, API_SECRET, Target } from '../support/target.js';

const AT_ONCE = 32;
const TOKEN_SECONDS = 300;

export const webhooks: Bench = {
  name: 'webhooks',
  measures: 'webhooks of LiveKit, 32 at once, each durable before its 200',
  run: async ({ quick }) => {
    const target = await Target.start();
    try {
      const rooms = await openRooms(target, quick ? 10 : 100);
      const ids: string[] = [];
      await times(rooms.length, 8, async (i) => ids.push(await startIn(target, rooms[i]!)));
      const running = rooms.flatMap((room) =>
        target.livekit.runningEgressIds(room).map((id) => target.livekit.egress(id)!),
      );
      const count = quick ? 200 : 10_000;
      const warm = quick ? 20 : 1_000;
      const events = Array.from({ length: count + warm }, (_, i) => signed(running[i % running.length]!, i));
      await times(warm, AT_ONCE, (i) => post(target, events[i]!));
      const figures = await measure(target, {
        ...{ what: `webhooks, ${AT_ONCE} at once`, count, atOnce: AT_ONCE },
        conditions: { recordings: rooms.length, event: 'egress_updated' },
        task: (i) => post(target, events[warm + i]!),
        // What was taken in is also applied: that is part of what it costs.
        settled: () => inboxIsEmpty(target),
      });
      await stopAll(target, ids);
      return [figures];
    } finally {
      await target.close();
    }
  },
};

interface Signed {
  readonly body: Buffer;
  readonly authorization: string;
}

function signed(egressInfo: EgressInfo, i: number): Signed {
  const now = Math.floor(Date.now() / 1_000);
  const event = new WebhookEvent({
    ...{ event: 'egress_updated', id: `EV_bench${i}`, createdAt: BigInt(now), egressInfo },
  });
  const body = Buffer.from(event.toJsonString());
  const sha256 = createHash('sha256').update(body).digest('base64');
  const claims = { iss: API_KEY, exp: now + TOKEN_SECONDS, nbf: now - 5, iat: now, sha256 };
  return { body, authorization: signToken(claims, API_SECRET) };
}

async function post({ pool }: Target, { body, authorization }: Signed): Promise<void> {
  const answer = await pool.request({
    ...{ path: '/livekit/webhook', method: 'POST', body },
    headers: { 'content-type': 'application/webhook+json', authorization },
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`a webhook was answered ${answer.statusCode}`);
}

function inboxIsEmpty({ redisClient }: Target): Promise<void> {
  return eventually(
    async () => {
      const [waiting, active] = await Promise.all([
        redisClient.llen('{tl}:queue:inbox:wait'),
        redisClient.llen('{tl}:queue:inbox:active'),
      ]);
      return waiting + active === 0 || `${waiting + active} events wait`;
    },
    { withinMs: 120_000, everyMs: 100 },
  );
}
