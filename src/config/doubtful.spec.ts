import { doubtful } from './doubtful.js';

describe('what is doubtful in a valid configuration', () => {
  const config = {
    ...{ role: 'all' as const, publicUrl: 'http://localhost:4000', isPublicUrlSet: true },
    ...{ development: false, livekitStartTimeoutMs: 35_000 },
  };
  const events = (changed: Partial<typeof config>): string[] =>
    doubtful({ ...config, ...changed }).map(({ event }) => event);

  it('is told by variable, and nothing where there is nothing or somebody only tries it out', () => {
    expect(events({})).toEqual([]);
    expect(events({ isPublicUrlSet: false })).toEqual(['no_public_url']);
    expect(events({ livekitStartTimeoutMs: 20_000 })).toEqual(['start_timeout_too_short']);
    expect(events({ livekitStartTimeoutMs: 27_000 })).toEqual([]);
    expect(events({ isPublicUrlSet: false, livekitStartTimeoutMs: 1, development: true })).toEqual([]);
  });
});
