import fc from 'fast-check';
import type { EgressStatus } from '../../src/livekit/livekit.types.js';
import type { Fact } from '../../src/recordings/domain/facts.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { anEgress, T0 } from './builders.js';

export const EGRESS_STATUSES: EgressStatus[] = [
  'STARTING',
  'ACTIVE',
  'ENDING',
  'COMPLETE',
  'FAILED',
  'ABORTED',
  'LIMIT_REACHED',
];

/** A history of facts about one recording; each is later than the one before. */
export function anyFacts(of: StoredRecording): fc.Arbitrary<Fact[]> {
  const egress = fc
    .record({
      status: fc.constantFrom(...EGRESS_STATUSES),
      egressId: fc.constantFrom('EG_000000000001', 'EG_000000000001', 'EG_000000000002'),
      uploaded: fc.boolean(),
    })
    .map(({ status, egressId, uploaded }) => anEgress(of, { status, egressId, file: { uploaded } }));
  const media = fc.option(fc.constant({ sizeBytes: 1_000 }), { nil: null });
  const kinds: fc.Arbitrary<Fact>[] = [
    egress.map((seen) => ({ kind: 'egress-seen', egress: seen, at: 0 })),
    egress.map((seen) => ({ kind: 'start-accepted', egress: seen, at: 0 })),
    fc.boolean().map((credentials) => ({ kind: 'start-refused', why: 'no', credentials, at: 0 })),
    fc.boolean().map((answered) => ({ kind: 'start-unknown', answered, why: '503', at: 0 })),
    fc.constant({ kind: 'start-deadline-passed', waitedMs: 20_000, at: 0 }),
    fc.constant({ kind: 'start-cancelled', at: 0 }),
    fc.constant({ kind: 'duration-limit-passed', at: 0 }),
    fc.option(egress, { nil: null }).map((seen) => ({ kind: 'stop-taken', egress: seen, at: 0 })),
    fc.array(egress, { maxLength: 2 }).map((egresses) => ({ kind: 'egresses-listed', egresses, at: 0 })),
    fc
      .record({ proof: fc.constantFrom('absence' as const, 'not-found' as const), media })
      .map((gone) => ({ kind: 'egress-gone', ...gone, at: 0 })),
    fc
      .record({ egressId: fc.constantFrom('EG_000000000001', 'EG_000000000002'), media })
      .map((lost) => ({ kind: 'recorder-lost', ...lost, at: 0 })),
    media.map((found) => ({ kind: 'media-looked-for', media: found, at: 0 })),
    fc.constant({ kind: 'deletion-requested', by: 'admin', at: 0 }),
    fc.constant({ kind: 'deleted', at: 0 }),
  ];
  return fc
    .array(fc.tuple(fc.oneof(...kinds), fc.integer({ min: 0, max: 8_000 })), { maxLength: 25 })
    .map((steps) => {
      let at = T0;
      return steps.map(([fact, laterMs]) => ({ ...fact, at: (at += laterMs) }) as Fact);
    });
}
