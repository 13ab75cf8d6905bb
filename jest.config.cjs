// Nest ships ES modules only; jest on the oldest supported Node can't require() them, so they are down-levelled.
const swc = ['@swc/jest', require('./scripts/swc.cjs')];
const base = {
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/support/quiet-logs.ts'],
  transform: { '^.+\\.[cm]?[jt]s$': swc },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|content-disposition|p-limit|yocto-queue|ulid|jose|livekit-server-sdk|camelcase-keys|map-obj|quick-lru|camelcase)/)',
  ],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};
/** End-to-end tests that take long, of kills, hanging stores and slow readers: `npm run test:long`, so that `npm test` keeps under five minutes. */
const LONG = [
  'rebuild-under-fire',
  'bulk-deletion-kill',
  'slow-readers',
  'silent-bucket',
  'busy-livekit',
  'recovery-kill',
  'kill-moments',
  'planted-gaps',
  'redis-failover',
  'missing-rows',
  'search-bucket',
];
const project = (displayName, testMatch, more = {}) => ({ ...base, displayName, testMatch, ...more });
module.exports = {
  // An end for what hangs; a busy machine must not reach it.
  testTimeout: 120_000,
  testSequencer: '<rootDir>/test/support/longest-first.cjs',
  projects: [
    project('unit', ['<rootDir>/src/**/*.spec.ts', '<rootDir>/console/src/**/*.spec.ts']),
    project('integration', ['<rootDir>/test/integration/**/*.int-spec.ts']),
    project('contract', ['<rootDir>/test/contract/**/*.contract-spec.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.e2e-spec.ts'], {
      testPathIgnorePatterns: LONG.map((name) => `/test/e2e/${name}\\.`),
    }),
    project(
      'long',
      LONG.map((name) => `<rootDir>/test/e2e/${name}.e2e-spec.ts`),
    ),
    project('browser', ['<rootDir>/test/browser/**/*.browser-spec.ts']),
    project('processes', ['<rootDir>/test/processes/**/*.processes-spec.ts'], {
      globalSetup: '<rootDir>/test/processes/build-once.cjs',
    }),
    project('chaos', ['<rootDir>/test/chaos/**/*.chaos-spec.ts']),
    project('livekit', ['<rootDir>/test/contract/**/*.livekit-spec.ts']),
  ],
};
