import { createApp } from '../../src/app.js';
import { aConfig } from '../support/a-config.js';

describe('the application', () => {
  // Nothing is asked of anybody before it listens, so that it needs neither Redis nor LiveKit.
  it.each(['all', 'api', 'worker'])('has all that its modules are made with, as %s', async (ROLE) => {
    const app = await createApp(aConfig({ ROLE }), { logTo: { write: () => undefined } });
    expect(app.getHttpServer()).toBeDefined();
    await app.close();
  });
});
