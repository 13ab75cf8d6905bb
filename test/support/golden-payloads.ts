import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key pair that signed what the fixtures hold. */
export const GOLDEN_KEYS = { apiKey: 'devkey', apiSecret: 'devsecret-devsecret-devsecret-32x' };

export interface GoldenCall {
  /** `livekit.Egress/StopEgress` */
  readonly method: string;
  readonly request: Record<string, unknown>;
  readonly status: number;
  readonly content_type: string;
  readonly response: string;
  readonly note?: string;
}

export interface GoldenWebhook {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface GoldenCase {
  readonly case: string;
  readonly calls: readonly GoldenCall[];
  readonly webhooks: readonly GoldenWebhook[];
}

const FOLDER = join(__dirname, '..', 'fixtures', 'livekit');

/** What a real server and its egress sent, case by case. */
export const GOLDEN_CASES: readonly GoldenCase[] = readdirSync(FOLDER)
  .sort()
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as GoldenCase);

export function goldenCase(name: string): GoldenCase {
  const found = GOLDEN_CASES.find((one) => one.case === name);
  if (!found) throw new Error(`there is no golden case "${name}"`);
  return found;
}
