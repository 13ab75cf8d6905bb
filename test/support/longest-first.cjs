// The order of the test files: what takes longest begins first, so that no worker is left alone with it at the end. Where
// jest has measured them before (never in a fresh clone) that is what counts; a file's size, its guess, says nothing here.
const { default: Sequencer } = require('@jest/test-sequencer');

/** Those far above the others, longest first. */
const LONG = [
  'chaos/short',
  'e2e/operations',
  'e2e/bulk-deletions',
  'chaos/found',
  'e2e/going-on',
  'integration/storage-sweeps',
  'contract/livekit-simulator',
  'e2e/webhooks-out',
  'e2e/access',
  'e2e/stop',
  'e2e/shutdown',
  'e2e/delete',
  'e2e/system',
];

const rankOf = ({ path }) => {
  const at = LONG.findIndex((name) => path.includes(`/test/${name}.`));
  return at < 0 ? LONG.length : at;
};

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const measured = super.sort(tests);
    if (measured.some((test) => test.duration !== undefined)) return measured;
    // Those of a whole product come before those of one function.
    const isUnit = ({ context }) => (context.config.displayName?.name === 'unit' ? 1 : 0);
    return measured.toSorted((a, b) => rankOf(a) - rankOf(b) || isUnit(a) - isUnit(b));
  }
};
