import type { Config } from '../../src/config/config.js';
import { readConfig } from '../../src/config/config.schema.js';

/** A valid configuration of a process that embeds nothing; a test names the variables that matter to it. */
export function aConfig(env: Readonly<Record<string, string>> = {}): Config {
  return readConfig(
    {
      TALLYLIGHT_ADMIN_KEY: 'tl_an-admin-key-for-tests',
      REDIS_URL: 'redis://127.0.0.1:1',
      STORAGE_URL: 'file:.tallylight/never-used',
      LIVEKIT_URL: 'http://127.0.0.1:1',
      LIVEKIT_API_KEY: 'devkey',
      LIVEKIT_API_SECRET: 'a-secret-that-is-long-enough-for-signing',
      // A test asks more than a person; what is about limits switches them on.
      RATE_LIMIT: 'off',
      ...env,
    },
    { development: false, onTerminal: false },
  );
}
