import type { Actor } from '../kernel/actor.js';
import type { Credentials } from './credentials.js';
import { requireRight } from './rights.js';
import { unauthenticated } from './unauthenticated.js';

/** What a page for a browser answers with 401, so that the browser asks for the key. */
export const BASIC_CHALLENGE = 'Basic realm="Tallylight", charset="UTF-8"';

const BASIC = /^Basic +([A-Za-z0-9+/_-]+=*) *$/i;

/**
 * The ADMIN of every room behind HTTP Basic (any user, an API key as password) or a bearer.
 * Throws UNAUTHENTICATED, or FORBIDDEN for anybody else; `what` says what was asked for.
 */
export async function authenticateBasicOrBearer(
  credentials: Credentials,
  authorization: string | undefined,
  what: string,
): Promise<Actor> {
  const actor = await credentials.authenticate(basicAsBearer(authorization));
  requireRight(actor, 'administer', 'every-room', what);
  return actor;
}

function basicAsBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^Basic /i.test(authorization)) return authorization;
  const decoded = Buffer.from(BASIC.exec(authorization)?.[1] ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const password = decoded.slice(colon + 1);
  if (colon < 0 || password === '') throw unauthenticated('sign in with an API key as the password');
  return `Bearer ${password}`;
}
