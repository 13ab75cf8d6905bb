import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { type RedisClient, RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import { type Delivery, DELIVERY_STATUSES, type DeliveryStatus, KEPT_MS } from '../domain/delivery.js';
import { type DeliveryPage, DeliveryStore, type LogBatch, type SourceLog } from './delivery.store.js';

const fileDeliveries = new Script(join(__dirname, 'file-deliveries.lua'));
const claimLanes = new Script(join(__dirname, 'claim-lanes.lua'));
const settleDelivery = new Script(join(__dirname, 'settle-delivery.lua'));
const resendDelivery = new Script(join(__dirname, 'resend-delivery.lua'));
const forgetDeliveries = new Script(join(__dirname, 'forget-deliveries.lua'));
const forgetEndpoint = new Script(join(__dirname, 'forget-endpoint.lua'));

/** Of one endpoint; more than a receiver takes in a week is told by the metrics. */
const MOST_DELIVERED = 50_000;
const AT_ONCE = 500;

@Injectable()
export class RedisDeliveryStore extends DeliveryStore {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async unread(log: SourceLog, most: number): Promise<LogBatch | null> {
    const [epoch, place] = await this.connections.readWhole((all) => all.hget(keys.webhookPlaces(), log));
    const from = typeof place === 'string' ? place : '';
    // A place of another epoch is one of a log that is gone: this one is read from its beginning. Incidents outlive a rebuild.
    const era = log === 'events' ? epoch : log;
    const [ofEpoch, id = '0-0'] = from.split('/');
    const after = ofEpoch === era ? id : '0-0';
    const found = await this.connections.run((redis) =>
      redis.xrange(streamOf(log), `(${after}`, '+', 'COUNT', most),
    );
    const last = found.at(-1)?.[0];
    if (last === undefined) return null;
    return { from, place: `${era}/${last}`, epoch, entries: found.map(entryOf) };
  }

  async ends(): Promise<{ events: { epoch: string; id: string }; incidents: string }> {
    const [epoch, events, incidents] = await this.connections.readWhole((all) =>
      all.xrevrange(keys.events(), '+', '-', 'COUNT', 1).xrevrange(keys.incidentNews(), '+', '-', 'COUNT', 1),
    );
    const idOf = (found: unknown): string => (found as [string, string[]][])[0]?.[0] ?? '0-0';
    return { events: { epoch, id: idOf(events) }, incidents: idOf(incidents) };
  }

  async eventsSince(since: number, after: string | null, most: number): Promise<LogBatch['entries']> {
    const from = after === null ? `${since}-0` : `(${after}`;
    const [, found] = await this.connections.readWhole((all) =>
      all.xrange(keys.events(), from, '+', 'COUNT', most),
    );
    return (found as [string, string[]][]).map(entryOf);
  }

  async file(log: SourceLog, batch: LogBatch | null, deliveries: readonly Delivery[]): Promise<boolean> {
    const now = deliveries[0]?.nextAttemptAt ?? 0;
    const filed = await fileDeliveries.run(
      this.redis,
      [keys.epoch(), keys.webhookPlaces()],
      [
        log,
        batch?.from ?? '',
        batch?.place ?? '',
        PREFIX,
        now,
        JSON.stringify(
          deliveries.map(({ id, endpointId, lane, ...rest }) => ({
            id,
            endpoint: endpointId,
            lane,
            doc: JSON.stringify({ id, endpointId, lane, ...rest }),
          })),
        ),
      ],
    );
    if (filed === -1) throw redisWasReset();
    return filed === 1;
  }

  async claim(endpointId: string, now: number, claimMs: number, most: number): Promise<Delivery[]> {
    const found = (await claimLanes.run(
      this.redis,
      [keys.webhooks(`due:${endpointId}`)],
      [endpointId, PREFIX, now, now + claimMs, most],
    )) as string[];
    return found.map((doc) => JSON.parse(doc) as Delivery);
  }

  async settle(
    before: Delivery,
    after: Delivery,
    now: number,
  ): Promise<{ settled: boolean; failingSince: number | null }> {
    const { id, endpointId, lane, status } = after;
    const [settled, failingSince] = (await settleDelivery.run(
      this.redis,
      [...this.keysOf(after), keys.webhooks('going'), keys.webhooks('health')],
      [
        ...[id, endpointId, lane, JSON.stringify(before), JSON.stringify(after), status],
        ...[after.nextAttemptAt ?? 0, PREFIX, now],
        status === 'PENDING' ? 0 : KEPT_MS[status],
        status === 'DELIVERED' ? 1 : 0,
        MOST_DELIVERED,
      ],
    )) as [number, string];
    return { settled: settled === 1, failingSince: failingSince === '' ? null : Number(failingSince) };
  }

  async add(delivery: Delivery, now: number): Promise<void> {
    const { id, endpointId, status } = delivery;
    const keptMs = status === 'PENDING' ? 0 : KEPT_MS[status];
    // In one step: one that no list names is never delivered, and never forgotten.
    await this.connections.multi((all) =>
      all
        .set(keys.webhooks(`delivery:${id}`), JSON.stringify(delivery))
        .zadd(keys.webhooks(`of:${endpointId}:${status}`), 0, id)
        .zadd(keys.webhooks('going'), now + keptMs, `${endpointId} ${status} ${id}`),
    );
  }

  async resend(before: Delivery, after: Delivery, now: number): Promise<boolean> {
    const { id, endpointId, lane } = after;
    const done = await resendDelivery.run(
      this.redis,
      [...this.keysOf(after), keys.webhooks('going')],
      [id, endpointId, lane, JSON.stringify(before), JSON.stringify(after), before.status, PREFIX, now],
    );
    return done === 1;
  }

  async get(id: string): Promise<Delivery | null> {
    const [, doc] = await this.connections.readWhole((all) => all.get(keys.webhooks(`delivery:${id}`)));
    return typeof doc === 'string' ? (JSON.parse(doc) as Delivery) : null;
  }

  /** Ids sort by the time they were made. */
  async page(
    endpointId: string,
    status: DeliveryStatus | null,
    first: number,
    after: string | null,
  ): Promise<DeliveryPage> {
    const max = after === null ? '+' : `(${after}`;
    const statuses = status === null ? DELIVERY_STATUSES : [status];
    const [, ...lists] = await this.connections.readWhole((all) =>
      statuses.reduce(
        (asked, one) =>
          asked.zrange(
            keys.webhooks(`of:${endpointId}:${one}`),
            max,
            '-',
            'BYLEX',
            'REV',
            'LIMIT',
            0,
            first + 1,
          ),
        all,
      ),
    );
    const ids = (lists as string[][]).flat().toSorted().toReversed();
    const page = ids.slice(0, first);
    const docs =
      page.length === 0
        ? []
        : await this.connections.run((redis) =>
            redis.mget(page.map((id) => keys.webhooks(`delivery:${id}`))),
          );
    return {
      deliveries: docs.filter((doc) => doc !== null).map((doc) => JSON.parse(doc) as Delivery),
      hasNextPage: ids.length > first,
    };
  }

  async backlog(endpointId: string): Promise<number> {
    return this.connections.run((redis) => redis.zcard(keys.webhooks(`of:${endpointId}:PENDING`)));
  }

  async failingSince(endpointId: string): Promise<number | null> {
    const since = await this.connections.run((redis) => redis.hget(keys.webhooks('health'), endpointId));
    return since === null ? null : Number(since);
  }

  async revive(endpointId: string, now: number): Promise<void> {
    const due = keys.webhooks(`due:${endpointId}`);
    await this.connections.run((redis) => redis.hdel(keys.webhooks('health'), endpointId));
    for (;;) {
      const later = await this.connections.run((redis) =>
        redis.zrange(due, `(${now}`, '+inf', 'BYSCORE', 'LIMIT', 0, AT_ONCE),
      );
      if (later.length === 0) return;
      await this.connections.run((redis) => redis.zadd(due, 'XX', ...later.flatMap((lane) => [now, lane])));
    }
  }

  async forgetOld(now: number): Promise<number> {
    return Number(await forgetDeliveries.run(this.redis, [keys.webhooks('going')], [now, AT_ONCE, PREFIX]));
  }

  async forgetEndpoint(endpointId: string): Promise<void> {
    const scriptKeys = [keys.webhooks(`due:${endpointId}`), keys.webhooks('going'), keys.webhooks('health')];
    for (;;) {
      const gone = await forgetEndpoint.run(this.redis, scriptKeys, [endpointId, PREFIX, AT_ONCE]);
      if (gone === 0) return;
    }
  }

  private get redis(): RedisClient {
    return this.connections.command;
  }

  private keysOf({ id, endpointId, lane }: Delivery): string[] {
    return [
      keys.webhooks(`delivery:${id}`),
      keys.webhooks(`lane:${endpointId}:${lane}`),
      keys.webhooks(`due:${endpointId}`),
    ];
  }
}

const PREFIX = keys.webhooks('');

function streamOf(log: SourceLog): string {
  return log === 'events' ? keys.events() : keys.incidentNews();
}

function entryOf([id, flat]: [string, string[]]): LogBatch['entries'][number] {
  const fields: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
  return { id, fields };
}
