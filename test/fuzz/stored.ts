import { readdir } from 'node:fs/promises';
import type { Redis } from 'ioredis';

/** How much stands under each key of Redis and each object of the bucket. */
export type Stored = ReadonlyMap<string, number>;

const COUNT = `
local counts = {}
local commands = { string = 'EXISTS', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', list = 'LLEN', stream = 'XLEN' }
for _, key in ipairs(redis.call('KEYS', '*')) do
  local command = commands[redis.call('TYPE', key).ok]
  counts[#counts + 1] = key
  counts[#counts + 1] = command and redis.call(command, key) or 1
end
return counts`;

/** What the product keeps of its own work, whoever asks it for whatever. Bounded, each of it. */
const OWN_WORK = [
  /^\{tl\}:queue:/,
  /^\{tl\}:lease/,
  /^\{tl\}:processes$/,
  /^\{tl\}:(?:recorders-asked|livekit-heard|unexplained|heard|recorders)$/,
  /^\{tl\}:(?:last-sweeps|sweep-run|sweep-sights|breaker)/,
  /^\{tl\}:incidents/,
  /^\{tl\}:api-keys-used$/,
  // Who was turned away is part of the audit log.
  /^\{tl\}:audit$/,
];

export async function readStored(redis: Redis, folder: string): Promise<Stored> {
  const stored = new Map<string, number>();
  const counts = (await redis.eval(COUNT, 0)) as (string | number)[];
  for (let i = 0; i < counts.length; i += 2) {
    const key = String(counts[i]);
    if (!OWN_WORK.some((pattern) => pattern.test(key))) stored.set(key, Number(counts[i + 1]));
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) stored.set(`${entry.parentPath}/${entry.name}`, 1);
  }
  return stored;
}

/** What is there that was not, or of which there is more. */
export function grown(before: Stored, after: Stored): string[] {
  return [...after]
    .filter(([key, count]) => count > (before.get(key) ?? 0))
    .map(([key, count]) => `${key}: ${before.get(key) ?? 0} -> ${count}`);
}
