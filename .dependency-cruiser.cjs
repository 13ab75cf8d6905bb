// Which way dependencies point. Each rule is named by what it protects; docs/architecture.md shows the picture.

/** A feature's own tests and its module may see what others may not. */
const SPEC = '[.]spec[.]ts$';
const FOUNDATION = '^src/(config|redis|queue|locks|storage|livekit|kept|audit|incidents|auth)/';
const FEATURES =
  '^src/(rooms|recordings|media|share-links|webhooks-out|bulk-deletions|room-deletion|sweeps|rebuild)/';
/** The technology behind a port: bound in modules, named nowhere else. */
const ADAPTERS =
  '^src/(storage/(s3|file)-object-storage|livekit/(livekit-http|jwt-webhook[.]verifier)|queue/(bullmq-job-queue|job-runner)|(?!redis/).+/redis-)';

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid('no-cycles', 'A cycle is a missing third module.', {}, { circular: true }),
    forbid(
      'kernel-knows-nobody',
      'The kernel is imported by all, so it imports nothing of ours.',
      { path: '^src/kernel/' },
      { path: '^src/', pathNot: '^src/kernel/' },
    ),
    forbid(
      'kernel-has-no-framework',
      'The kernel is pure: Node, the making of ids, and the interface of traces, which does nothing by itself.',
      { path: '^src/kernel/', pathNot: SPEC },
      { dependencyTypes: ['npm'], pathNot: '^node_modules/(ulid|@opentelemetry/api)/' },
    ),
    forbid(
      'domain-is-pure',
      'No framework, no IO, no other layer: what is decided can be read and tested by itself.',
      { path: '^src/[^/]+/domain/', pathNot: SPEC },
      {
        pathNot: [
          '^src/[^/]+/domain/',
          '^src/kernel/',
          '^src/livekit/livekit[.]types[.]ts$',
          '^src/incidents/incidents[.]port[.]ts$',
        ],
      },
    ),
    forbid(
      'foundation-knows-no-feature',
      'What everything stands on does not lean on what stands on it.',
      { path: FOUNDATION, pathNot: SPEC },
      { path: [FEATURES, '^src/(graphql|ops|system|console|embedded)/'] },
    ),
    forbid(
      'rooms-know-no-recordings',
      'Where both call each other, every change drags both along.',
      { path: '^src/rooms/' },
      {
        path: '^src/(recordings|media|share-links|webhooks-out|sweeps|bulk-deletions|room-deletion|rebuild)/',
      },
    ),
    forbid(
      'recordings-know-no-later-feature',
      'Media, sweeps and deletions in bulk are made of recordings; how a link to media looks is no part of that.',
      { path: '^src/recordings/' },
      {
        path: '^src/(media|share-links|webhooks-out|sweeps|bulk-deletions|room-deletion|rebuild)/',
        pathNot: '^src/media/media-(links|token)',
      },
    ),
    forbid(
      'jobs-hide-bullmq',
      'Whoever leaves work for later knows JobQueue alone.',
      { path: '^src/', pathNot: '^src/(queue|ops)/' },
      { path: '^node_modules/(bullmq|@nestjs/bullmq)/' },
    ),
    forbid(
      'one-door-to-livekit',
      'What LiveKit says is translated in one place.',
      { path: '^src/', pathNot: '^src/(livekit|auth|embedded)/' },
      { path: '^node_modules/(livekit-server-sdk|@livekit)/' },
    ),
    forbid(
      'one-door-to-the-bucket',
      'Features know ObjectStorage.',
      { path: '^src/', pathNot: '^src/(storage|livekit/simulator|embedded)/' },
      { path: '^node_modules/@aws-sdk/' },
    ),
    forbid(
      'adapters-are-bound-in-modules',
      'A feature asks for a port; which technology answers is said in a module file alone.',
      { path: '^src/', pathNot: [SPEC, '[.]module[.]ts$', ADAPTERS, '^src/(queue|embedded)/'] },
      { path: ADAPTERS },
    ),
    forbid(
      'ports-name-no-technology',
      'A port says what is meant, and who asks one says no more; what it is in Redis, its adapter knows.',
      { path: '[.](port|store|writer)[.]ts$|/(use-cases|write)/', pathNot: [SPEC, ADAPTERS] },
      { path: '^(src/redis|node_modules/ioredis)/' },
    ),
    forbid(
      'graphql-is-an-edge',
      "A feature's GraphQL is imported by its module alone.",
      { path: '^src/([^/]+)/', pathNot: ['/graphql/', '[.]module[.]ts$', '^src/graphql/'] },
      { path: '^src/[^/]+/graphql/' },
    ),
    forbid(
      'graphql-stays-at-home',
      "One feature's GraphQL does not lean on another's, but for the views it shows in its own fields.",
      { path: '^src/([^/]+)/graphql/' },
      { path: '^src/[^/]+/graphql/', pathNot: ['^src/$1/graphql/', '[.](view|input)[.]ts$'] },
    ),
    forbid(
      'use-cases-know-no-edge',
      'Jobs, webhooks and GraphQL call use cases.',
      { path: '^src/[^/]+/(use-cases|write|store)/', pathNot: SPEC },
      { path: '^src/[^/]+/(ingest|graphql)/' },
    ),
    forbid(
      'simulator-is-no-production',
      'Production talks to a real LiveKit, never to a simulator.',
      { path: '^src/', pathNot: '^src/(livekit/simulator|embedded)/' },
      { path: '^src/livekit/simulator/' },
    ),
    forbid(
      'embedded-is-no-production',
      'node dist/main.js embeds nothing.',
      { path: '^src/', pathNot: '^src/embedded/' },
      { path: '^src/embedded/' },
    ),
    forbid(
      'one-list-of-modules',
      'Only the application knows all modules.',
      {
        path: '^src/',
        pathNot: ['^src/(app|serve|main)[.]ts$', '^src/embedded/start[.]ts$', '-command[.]ts$'],
      },
      { path: '^src/(app|app[.]module|serve)[.]ts$' },
    ),
    forbid(
      'production-has-no-dev-dependencies',
      'The image installs what dependencies name.',
      { path: '^src/', pathNot: SPEC },
      { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/@types/' },
    ),
    forbid(
      'every-package-is-named',
      'A package that only another one brings along goes away with it.',
      { path: '^src/' },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid('every-import-is-there', 'It would fail at run time.', {}, { couldNotResolve: true }),
    forbid(
      'no-orphans',
      'A file that nobody imports is dead.',
      {
        orphan: true,
        path: '^src/',
        pathNot: [SPEC, '[.]d[.]ts$', '^src/main[.]ts$', '^src/embedded/start[.]ts$', '-command[.]ts$'],
      },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
