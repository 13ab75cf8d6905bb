import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const server = 'http://localhost:4000';

// Relative addresses (base) let the page live under a path of a reverse proxy; the console module serves what is built here.
export default defineConfig({
  root: here('.'),
  base: './',
  build: {
    outDir: here('../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      input: { index: here('index.html'), graphiql: here('graphiql.html') },
      onLog(level, log, handle) {
        // React libraries mark their modules for a server that doesn't exist here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  server: {
    proxy: { '/graphql': { target: server, ws: true }, '/recordings': server },
  },
});
