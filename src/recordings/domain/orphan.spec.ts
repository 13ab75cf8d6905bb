import { EGRESS_STATUSES } from '../../../test/support/arbitraries.js';
import { type OrphanEvidence, orphanVerdict } from './orphan.js';
import { isFinal } from './recording.js';

describe('an egress of ours without a row', () => {
  it.each(EGRESS_STATUSES.filter((status) => !isFinal(status)))(
    'that LiveKit lists as %s is asked about before anything is done: is it dead, was it deleted',
    (status) => {
      expect(orphanVerdict({ status })).toEqual({ do: 'ask', question: 'dead' });
      expect(orphanVerdict({ status, dead: false })).toEqual({ do: 'ask', question: 'deleted' });
    },
  );

  it.each(EGRESS_STATUSES.filter(isFinal))('that ended as %s is settled without a question', (status) => {
    expect(orphanVerdict({ status })).toEqual({ do: 'settled' });
  });

  it.each<[string, Partial<OrphanEvidence>, ReturnType<typeof orphanVerdict>]>([
    ['whose worker is proven dead is settled', { dead: true }, { do: 'settled' }],
    [
      'whose recording was deleted is stopped',
      { dead: false, deleted: true },
      { do: 'stop', reason: 'its recording was deleted' },
    ],
    ['whose recording nobody deleted is restored', { dead: false, deleted: false }, { do: 'restore' }],
    [
      'whose recording came back is settled',
      { dead: false, deleted: false, restored: true },
      { do: 'settled' },
    ],
    [
      'that has no record either is suspect',
      { dead: false, deleted: false, restored: false },
      { do: 'suspect' },
    ],
  ])('%s', (_, known, said) => {
    expect(orphanVerdict({ status: 'ACTIVE', ...known })).toEqual(said);
  });
});
