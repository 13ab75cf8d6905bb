// Has Node run the TypeScript of this project. With CHAOS_MUTANT a defect is put into the source before, so that no copy of the
// tree is needed.
const { relative, resolve } = require('node:path');
const { changeSources } = require('../support/run-typescript.cjs');
const { mutantNamed, mutated } = require('./mutants/mutants.cjs');

const root = resolve(__dirname, '../..');
const { CHAOS_MUTANT } = process.env;
if (CHAOS_MUTANT) {
  const mutant = mutantNamed(CHAOS_MUTANT);
  changeSources((filename, source) => mutated(mutant, relative(root, filename), source));
}
