import { afterAttempt, type Delivery, type DeliveryAttempt, nextAttemptAt } from './delivery.js';

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 10, 22);

const a = (given: Partial<Delivery> = {}): Delivery => ({
  id: 'whd_1',
  endpointId: 'whe_1',
  type: 'RECORDING_ENDED',
  recordingId: null,
  lane: 'x',
  status: 'PENDING',
  body: '{}',
  attempts: [],
  round: { since: T0, tries: 0 },
  nextAttemptAt: T0,
  createdAt: T0,
  ...given,
});
const tried = (httpStatus: number | null): DeliveryAttempt => ({
  at: T0,
  httpStatus,
  durationMs: 1,
  error: null,
});

describe('a delivery', () => {
  it('is tried again after 5 s, 30 s, 2 m, 10 m, 30 m, 1 h, 2 h and then every 6 h for 8 days', () => {
    const gaps: number[] = [];
    let now = T0;
    for (let tries = 1; ; tries += 1) {
      const next = nextAttemptAt(tries, T0, now);
      if (next === null) break;
      gaps.push((next - now) / 1_000);
      now = next;
    }
    expect(gaps.slice(0, 8)).toEqual([5, 30, 120, 600, 1_800, 3_600, 7_200, 21_600]);
    expect(new Set(gaps.slice(7))).toEqual(new Set([21_600]));
    expect(now - T0).toBeGreaterThan(8 * 24 * HOUR - 6 * HOUR);
    expect(now - T0).toBeLessThanOrEqual(8 * 24 * HOUR);
  });

  it.each([200, 201, 204, 299])('is delivered by %i', (status) => {
    expect(afterAttempt(a(), tried(status), T0)).toMatchObject({ status: 'DELIVERED', nextAttemptAt: null });
  });

  it.each([null, 100, 199, 300, 301, 307, 400, 410, 429, 500])('is not delivered by %s', (status) => {
    expect(afterAttempt(a(), tried(status), T0)).toMatchObject({
      status: 'PENDING',
      nextAttemptAt: T0 + 5_000,
    });
  });

  it('fails when there is no further try', () => {
    const last = a({ round: { since: T0 - 8 * 24 * HOUR, tries: 38 } });
    expect(afterAttempt(last, tried(500), T0)).toMatchObject({ status: 'FAILED', nextAttemptAt: null });
  });
});
