// Lets Node run the TypeScript of this project as it stands: compiled on the way in, kept by its digest. With CHAOS_MUTANT a
// defect is put into the source before, so that no copy of the tree is needed.
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, relative, resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const root = resolve(__dirname, '../..');
const cache = join(root, 'node_modules/.cache/chaos');
const options = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    target: 'es2023',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};
const mutant = process.env.CHAOS_MUTANT
  ? require('./mutants/mutants.cjs').mutantNamed(process.env.CHAOS_MUTANT)
  : null;

mkdirSync(cache, { recursive: true });

Module._extensions['.ts'] = (module, filename) => {
  const source = mutated(filename, readFileSync(filename, 'utf8'));
  const kept = join(cache, `${createHash('sha1').update(source).digest('hex')}.js`);
  if (!existsSync(kept)) {
    // Whole or not at all: another process may look for it in this moment.
    const half = `${kept}.${process.pid}`;
    writeFileSync(half, transformSync(source, { ...options, filename }).code);
    renameSync(half, kept);
  }
  module._compile(readFileSync(kept, 'utf8'), filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  if (request.startsWith('.') && request.endsWith('.js') && parent?.filename?.endsWith('.ts')) {
    const path = resolve(dirname(parent.filename), request.replace(/\.js$/, '.ts'));
    if (existsSync(path)) return path;
  }
  return resolveFilename.call(this, request, parent, ...rest);
};

function mutated(filename, source) {
  if (mutant === null) return source;
  const path = relative(root, filename);
  return mutant.changes
    .filter(({ file }) => file === path)
    .reduce((text, { find, replace }) => {
      if (text.split(find).length !== 2) throw new Error(`${mutant.name} no longer fits ${path}: ${find}`);
      return text.replace(find, () => replace);
    }, source);
}
