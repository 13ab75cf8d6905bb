import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EgressStatus } from '@livekit/protocol';
import { awaitsContinuation, continuationPauseMs } from '../../../src/recordings/domain/continuation.js';
import type { StoredRecording } from '../../../src/recordings/domain/recording.js';
import { faultsOfLife, FINAL, readHistory } from '../../support/recording-life.js';
import type { RecordingSeen } from '../../support/operations.js';
import { readRows, readSlots, readStored } from '../world/rows.js';
import type { World } from '../world/world.js';

/**
 * What is not yet as it has to be once nothing is wrong any more: empty when every recording is over or records, every room
 * is free that should be, storage and rows agree, and every history folds to its row.
 */
export async function unsettled(world: World): Promise<string[]> {
  const instance = world.instance(0);
  const rows = await readRows(instance);
  const faults = [
    ...rows.flatMap((row) => faultsOfState(world, row)),
    ...(await faultsOfRooms(world, rows)),
    ...faultsOfEgresses(world, rows),
    ...(await faultsOfStorage(world, rows)),
    ...(await faultsOfUpkeep(world, rows)),
  ];
  // Histories are read only once all else is in order: they are many.
  return faults.length > 0 ? faults : faultsOfHistories(world, rows);
}

function isListedActive(world: World, egressId: string | null): boolean {
  return world.livekit.egress(egressId ?? '')?.status === EgressStatus.EGRESS_ACTIVE;
}

function isServed(world: World, egressId: string | null): boolean {
  return world.livekit.fleet.list().some(({ alive, recorders }) => alive && recorders.has(egressId ?? ''));
}

/** In progress it may be only while its egress is; over it may be for no reason that did not happen. */
function faultsOfState(world: World, { id, status, egressId, endReason }: RecordingSeen): string[] {
  if (FINAL.includes(status)) {
    if (endReason === null) return [`${id} is ${status} without a reason`];
    if (endReason === 'RECORDER_LOST' && !world.killedEgresses.has(egressId ?? ''))
      return [`${id} is ${endReason}, but nobody killed the worker of ${egressId}`];
    return endReason === 'STALE' ? [`${id} is STALE, but LiveKit never forgot an egress`] : [];
  }
  const records = status === 'ACTIVE' && isListedActive(world, egressId) && isServed(world, egressId);
  return records ? [] : [`${id} is still ${status}`];
}

async function faultsOfRooms(world: World, rows: readonly RecordingSeen[]): Promise<string[]> {
  const inProgress = new Map(
    rows.filter((row) => !FINAL.includes(row.status)).map((row) => [row.roomId, row.id]),
  );
  const slots = await readSlots(world);
  const held = [...slots].filter(([room, holder]) => inProgress.get(room) !== holder);
  const open = [...inProgress].filter(([room, id]) => slots.get(room) !== id);
  return [
    ...held.map(([room, holder]) => `${holder} holds ${room} and is over`),
    ...open.map(([room, id]) => `${id} records and does not hold ${room}`),
  ];
}

function faultsOfEgresses(world: World, rows: readonly RecordingSeen[]): string[] {
  const owned = new Set(rows.filter((row) => !FINAL.includes(row.status)).map(({ egressId }) => egressId));
  return world.livekit
    .runningEgressIds()
    .filter((id) => !owned.has(id))
    .map((id) => `${id} runs in ${world.livekit.egress(id)?.roomName}, and no recording in progress owns it`);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function faultsOfStorage(world: World, rows: readonly RecordingSeen[]): Promise<string[]> {
  const folder = join(world.folder, 'storage', 'recordings');
  const byId = new Map(rows.map((row) => [row.id, row]));
  const faults: string[] = [];
  for (const row of rows) {
    const media = await isThere(join(folder, row.roomId, `${row.id}.ogg`));
    if ((row.mediaPath !== null) !== media && FINAL.includes(row.status))
      faults.push(
        `${row.id} is ${row.status} with mediaPath ${row.mediaPath}, its media ${media ? 'is' : 'is not'} there`,
      );
    if ((row.status === 'COMPLETE' || row.status === 'LIMIT_REACHED') && !media)
      faults.push(`${row.id} is ${row.status} without media`);
    faults.push(...(await faultsOfRecord(join(folder, '.metadata', row.roomId, `${row.id}.json`), row)));
  }
  const files = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
  for (const file of files) {
    const id = /(rec_\w+)\.(ogg|json)$/.exec(file)?.[1];
    if (id !== undefined && !byId.has(id)) faults.push(`${file} belongs to no recording`);
  }
  return faults;
}

/** The durable record has to say what the row says. */
async function faultsOfRecord(path: string, row: RecordingSeen): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return [`${row.id} has no durable record`];
  const { version, status } = findRecording(JSON.parse(text) as Record<string, unknown>);
  const agrees = version === row.version && status === row.status;
  return agrees ? [] : [`${row.id} is ${row.status} ${row.version}, its durable record ${status} ${version}`];
}

function findRecording(record: Record<string, unknown>): { version?: unknown; status?: unknown } {
  if ('version' in record && 'status' in record) return record;
  const nested = Object.values(record).find(
    (value) => typeof value === 'object' && value !== null && 'status' in value,
  );
  return (nested ?? {}) as { version?: unknown; status?: unknown };
}

async function faultsOfUpkeep(world: World, rows: readonly RecordingSeen[]): Promise<string[]> {
  const filed = await world.redisClient.zcard('{tl}:outbox');
  const unsettledIds = new Set(await world.redisClient.zrange('{tl}:unsettled', 0, -1));
  const shown = new Set(rows.map(({ id }) => id));
  const stored = new Map((await readStored(world)).map((recording) => [recording.id as string, recording]));
  const hidden = [...stored.values()].filter(({ id }) => !shown.has(id));
  return [
    ...(filed > 0 ? [`${filed} effects are filed and not carried out`] : []),
    ...rows
      .filter(({ id, status }) => FINAL.includes(status) === unsettledIds.has(id))
      .filter(({ id }) => !isPausing(id, stored))
      .map(
        ({ id, status }) =>
          `${id} is ${status} and ${unsettledIds.has(id) ? 'unsettled' : 'settled'}: ${JSON.stringify(stored.get(id)?.upkeep)}`,
      ),
    ...hidden.map(({ id }) => `${id} was deleted and is still stored`),
  ];
}

/** Recordings of its meeting have ended one after another, and the pause before the next one is not over: that may be minutes. */
function isPausing(id: string, stored: ReadonlyMap<string, StoredRecording>): boolean {
  const last = stored.get(id);
  if (last === undefined || !awaitsContinuation(last)) return false;
  let inARow = 0;
  for (let one: StoredRecording | undefined = last; one; one = stored.get(one.continues ?? '')) inARow += 1;
  return Date.now() < (last.endedAt ?? 0) + continuationPauseMs(inARow);
}

async function faultsOfHistories(world: World, rows: readonly RecordingSeen[]): Promise<string[]> {
  const faults: string[] = [];
  for (const [i, row] of rows.entries()) {
    const events = await readHistory(world.instance((i % 3) / 3), row.id);
    faults.push(...faultsOfLife(events, row).map((fault) => `${row.id}: ${fault}`));
  }
  return faults;
}
