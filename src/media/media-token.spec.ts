import * as fc from 'fast-check';
import { readConfig } from '../config/config.schema.js';
import { Clock } from '../kernel/clock.js';
import { MediaLinks } from './media-links.js';
import { MediaTokens } from './media-token.js';

class HandClock extends Clock {
  constructor(public at: number) {
    super();
  }
  now(): number {
    return this.at;
  }
  after(): () => void {
    return () => undefined;
  }
}

const configWith = (changes: Record<string, string> = {}) =>
  readConfig(
    {
      PUBLIC_URL: 'https://recs.example.org/',
      TALLYLIGHT_ADMIN_KEY: 'an-admin-key-of-enough-length',
      REDIS_URL: 'redis://localhost',
      STORAGE_URL: 'file:/nowhere',
      LIVEKIT_URL: 'ws://localhost',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'secret',
      ...changes,
    },
    { development: false, onTerminal: false },
  );
const id = 'rec_01JD8PZ5Y3V9W6X2K4M7N0QRST';
const start = Date.UTC(2026, 0, 1) + 400;

describe('a media token', () => {
  it('opens its recording until its time is over, on every instance', () => {
    const clock = new HandClock(start);
    const token = new MediaTokens(configWith(), clock).sign(id, 60);
    const elsewhere = new MediaTokens(configWith(), clock);
    expect(elsewhere.endOf(token, id)).not.toBeNull();
    clock.at = start + 59_000;
    expect(elsewhere.endOf(token, id)).not.toBeNull();
    clock.at = start + 60_000;
    expect(elsewhere.endOf(token, id)).toBeNull();
  });

  it('is accepted while the secret is changed for another', () => {
    const clock = new HandClock(start);
    const [before, both, after] = [
      'old-secret-of-length',
      'new-secret-of-length, old-secret-of-length',
      'new-secret-of-length',
    ].map((secret) => new MediaTokens(configWith({ TALLYLIGHT_SECRET: secret }), clock));
    expect(both?.endOf(before?.sign(id, 60) ?? '', id)).not.toBeNull();
    expect(after?.endOf(both?.sign(id, 60) ?? '', id)).not.toBeNull();
    expect(after?.endOf(before?.sign(id, 60) ?? '', id)).toBeNull();
  });

  it('opens no other recording', () => {
    const tokens = new MediaTokens(configWith(), new HandClock(start));
    expect(tokens.endOf(tokens.sign(id, 60), `${id.slice(0, -1)}A`)).toBeNull();
    expect(tokens.endOf(tokens.sign(id, 60), '')).toBeNull();
  });

  it.each<Record<string, string>>([
    { TALLYLIGHT_ADMIN_KEY: 'another-admin-key-of-length' },
    { TALLYLIGHT_SECRET: 'another-secret-of-length' },
  ])('is worth nothing where a secret differs: %j', (changes) => {
    const clock = new HandClock(start);
    const token = new MediaTokens(configWith(), clock).sign(id, 60);
    expect(new MediaTokens(configWith(changes), clock).endOf(token, id)).toBeNull();
  });

  it('is worth nothing once a character of it is changed', () => {
    const tokens = new MediaTokens(configWith(), new HandClock(start));
    const token = tokens.sign(id, 60);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'0aZ9z._-'), (at, character) => {
        fc.pre(token[at] !== character);
        expect(tokens.endOf(token.slice(0, at) + character + token.slice(at + 1), id)).toBeNull();
      }),
    );
    for (const other of ['', '.', token.slice(0, -1), `${token}A`, ` ${token}`, `${token}\n`]) {
      expect(tokens.endOf(other, id)).toBeNull();
    }
  });

  it('can be sent in an address as it is', () => {
    const tokens = new MediaTokens(configWith(), new HandClock(start));
    const token = tokens.sign(id, 86_400);
    expect(encodeURIComponent(token)).toBe(token);
    expect(tokens.endOf(token, id)).not.toBeNull();
  });

  it.each([0, -1, 86_401, 1.5, NaN, Infinity])('is not made for %d seconds', (seconds) => {
    const tokens = new MediaTokens(configWith(), new HandClock(start));
    expect(() => tokens.sign(id, seconds)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', subject: { field: 'expiresInSeconds' } }),
    );
  });
});

describe('a media link', () => {
  it('leads to the media on this server, with a token that opens it', () => {
    const tokens = new MediaTokens(configWith(), new HandClock(start));
    const links = new MediaLinks(configWith(), tokens);
    expect(links.path(id)).toBe(`/recordings/${id}/media`);
    const url = new URL(links.url(id, 60));
    expect(url.origin + url.pathname).toBe(`https://recs.example.org/recordings/${id}/media`);
    expect(tokens.endOf(url.searchParams.get('token') ?? '', id)).not.toBeNull();
  });
});
