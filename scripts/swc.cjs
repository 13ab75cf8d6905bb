// How TypeScript becomes CommonJS: for the build and for the tests alike, so that what is tested is what runs. Types are
// checked by npm run check:types.
module.exports = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    target: 'es2023',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
};
