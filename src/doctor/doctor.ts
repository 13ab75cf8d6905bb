import { Injectable } from '@nestjs/common';
import { SystemClock, awaitWithin } from '../kernel/clock.js';
import { ExamineLiveKit } from './examine-livekit.js';
import { ExamineRecordings } from './examine-recordings.js';
import { ExamineRedis } from './examine-redis.js';
import { ExamineSettings } from './examine-settings.js';
import { ExamineStorage } from './examine-storage.js';
import type { Examination, Finding } from './finding.js';
import { unknown } from './finding.js';

/** LiveKit takes half a minute to say that no worker is there, and a storage as long to be given up. */
const LIMIT_MS = 90_000;

/** Looks at everything at once; each part has an end. Changes nothing but one object in the storage, which it deletes again. */
@Injectable()
export class Doctor {
  private readonly examinations: readonly Examination[];

  constructor(
    settings: ExamineSettings,
    redis: ExamineRedis,
    storage: ExamineStorage,
    livekit: ExamineLiveKit,
    recordings: ExamineRecordings,
  ) {
    this.examinations = [settings, redis, storage, livekit, recordings];
  }

  /** In one order, whatever answers first. Never throws. */
  async examine(): Promise<Finding[]> {
    return (await Promise.all(this.examinations.map((one) => withinLimit(one)))).flat();
  }
}

async function withinLimit(examination: Examination): Promise<Finding[]> {
  const { area } = examination;
  const looked = examination
    .examine()
    .catch((error: unknown) => [unknown(area, error instanceof Error ? error.message : String(error))]);
  return await awaitWithin(new SystemClock(), LIMIT_MS, looked, () => [
    unknown(area, `it took longer than ${LIMIT_MS / 1_000} s`),
  ]);
}
