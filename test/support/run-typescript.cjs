// Lets Node run the TypeScript of this project as it stands: node -r test/support/run-typescript.cjs src/main.ts
// Compiled on the way in, and kept by the digest of what was compiled.
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, join, resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const cache = resolve(__dirname, '../../node_modules/.cache/run-typescript');
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
let changed = (_filename, source) => source;

mkdirSync(cache, { recursive: true });

// Sources name what they import as it is called when it is compiled.
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  if (request.startsWith('.') && request.endsWith('.js') && parent?.filename?.endsWith('.ts')) {
    const source = resolve(dirname(parent.filename), `${request.slice(0, -3)}.ts`);
    if (existsSync(source)) return source;
  }
  return resolveFilename.call(this, request, parent, ...rest);
};

Module._extensions['.ts'] = (module, filename) => {
  const source = changed(filename, readFileSync(filename, 'utf8'));
  const digest = createHash('sha1').update(`${filename}\n${source}`).digest('hex');
  const kept = join(cache, `${digest}.js`);
  if (!existsSync(kept)) {
    // Nobody who starts at the same moment reads half of it.
    writeFileSync(`${kept}.${process.pid}`, transformSync(source, { ...options, filename }).code);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  module._compile(readFileSync(kept, 'utf8'), filename);
};

/** From now on `change` gets each file's name and source and answers what is compiled in its place. */
exports.changeSources = (change) => {
  changed = change;
};
