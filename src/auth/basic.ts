import type { Actor } from '../kernel/actor.js';
import { readAuthorization } from './authorization.js';
import type { Credentials } from './credentials.js';
import { requireRight } from './rights.js';
import { unauthenticated } from './unauthenticated.js';

/** What a page for a browser answers with 401, so that the browser asks for the key. */
export const BASIC_CHALLENGE = 'Basic realm="Tallylight", charset="UTF-8"';

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * The ADMIN of every room behind HTTP Basic (any user, an API key as password) or a bearer.
 * Throws UNAUTHENTICATED, or FORBIDDEN for anybody else; `what` says what was asked for.
 */
export async function authenticateBasicOrBearer(
  credentials: Credentials,
  { headers, ip }: { readonly headers: { readonly authorization?: string }; readonly ip: string },
  what: string,
): Promise<Actor> {
  const actor = await credentials.authenticate(basicAsBearer(headers.authorization), ip);
  requireRight(actor, 'administer', 'every-room', what);
  return actor;
}

function basicAsBearer(authorization: string | undefined): string | undefined {
  const given = authorization === undefined ? null : readAuthorization(authorization);
  // Without anything behind it, it is asked for all the same.
  if (given?.scheme !== 'basic') return authorization;
  const decoded = BASE64.test(given.value) ? Buffer.from(given.value, 'base64').toString('utf8') : '';
  const colon = decoded.indexOf(':');
  const password = decoded.slice(colon + 1);
  if (colon < 0 || password === '') throw unauthenticated('sign in with an API key as the password');
  return `Bearer ${password}`;
}
