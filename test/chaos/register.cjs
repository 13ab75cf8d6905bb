// Has Node run the TypeScript of this project. With CHAOS_MUTANT a defect is put into the source before, so that no copy of the
// tree is needed.
const { relative, resolve } = require('node:path');
const { changeSources } = require('../support/run-typescript.cjs');

const root = resolve(__dirname, '../..');
const mutant = process.env.CHAOS_MUTANT
  ? require('./mutants/mutants.cjs').mutantNamed(process.env.CHAOS_MUTANT)
  : null;
if (mutant !== null) changeSources(mutated);

function mutated(filename, source) {
  const path = relative(root, filename);
  return mutant.changes
    .filter(({ file }) => file === path)
    .reduce((text, { find, replace }) => {
      if (text.split(find).length !== 2) throw new Error(`${mutant.name} no longer fits ${path}: ${find}`);
      return text.replace(find, () => replace);
    }, source);
}
