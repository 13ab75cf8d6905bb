import { Injectable } from '@nestjs/common';
import { type JWTPayload, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { Config } from '../config/config.js';
import type { Actor } from '../kernel/actor.js';
import { callerName } from '../kernel/caller-name.js';
import { Clock } from '../kernel/clock.js';
import { type RoomId, parseRoomId } from '../kernel/ids.js';
import { AcceptedKeys } from '../livekit/accepted-keys.js';
import type { Identified } from './identified.js';
import { unauthenticated } from './unauthenticated.js';

/** The clock of whoever signs may be a little ahead of ours: a token that begins this soon is valid already. */
const AHEAD_S = 10;
const ALGORITHM = 'HS256';

const videoGrant = z.object({
  roomRecord: z.boolean().optional(),
  roomAdmin: z.boolean().optional(),
  roomJoin: z.boolean().optional(),
  room: z.string().optional(),
});
const claims = z.object({ sub: z.string().optional(), video: videoGrant.default({}) });
type VideoGrant = z.infer<typeof videoGrant>;

/** LiveKit access tokens that were signed with the configured key pair. */
@Injectable()
export class LiveKitTokens {
  private readonly keys: AcceptedKeys;

  constructor(
    config: Config,
    private readonly clock: Clock,
  ) {
    this.keys = new AcceptedKeys(config);
  }

  /** Throws UNAUTHENTICATED for a token that is not ours, not valid now, or grants nothing that counts here. */
  async identify(token: string): Promise<Identified> {
    const now = this.clock.now();
    const payload = await this.verify(token, now);
    const expiresAt = (payload.exp ?? 0) * 1000;
    // The tolerance is for the beginning alone: what has ended stays ended.
    if (expiresAt <= now) throw expired();
    return { actor: toActor(payload, payload.iss ?? ''), expiresAt, mayEnd: false };
  }

  private async verify(token: string, now: number): Promise<JWTPayload> {
    try {
      const { apiKey, secret } = await this.keys.of(token);
      const { payload } = await jwtVerify(token, secret, {
        algorithms: [ALGORITHM],
        issuer: apiKey,
        requiredClaims: ['exp'],
        currentDate: new Date(now),
        clockTolerance: AHEAD_S,
      });
      return payload;
    } catch (error) {
      throw refused(error);
    }
  }
}

export function looksLikeToken(text: string): boolean {
  return text.split('.').length === 3;
}

/** Who the holder of a verified token is here. Throws UNAUTHENTICATED where no grant counts. */
export function toActor(payload: JWTPayload, apiKey: string): Actor {
  const parsed = claims.safeParse(payload);
  if (!parsed.success)
    throw unauthenticated('the identity or the "video" grants of this LiveKit token are malformed');
  const { sub: identity, video: grant } = parsed.data;
  const role = roleOf(grant);
  if (role === null) {
    throw unauthenticated(
      'this LiveKit token grants nothing here; it needs one of video.roomJoin, video.roomRecord and video.roomAdmin',
    );
  }
  const rooms = roomsOf(grant);
  const mayDelete = grant.roomAdmin === true;
  if (identity) {
    return {
      name: callerName('livekit', identity),
      callerId: `identity:${identity}`,
      role,
      rooms,
      mayDelete,
    };
  }
  // Without a name of its own it is told from others by what it is for.
  const callerId = `livekit-key:${apiKey} ${JSON.stringify(rooms)}`;
  return { name: callerName('livekit', apiKey), callerId, role, rooms, mayDelete };
}

function roleOf(grant: VideoGrant): 'RECORDER' | 'VIEWER' | null {
  if (grant.roomAdmin === true || grant.roomRecord === true) return 'RECORDER';
  return grant.roomJoin === true ? 'VIEWER' : null;
}

/** A room that can't exist, the empty name too, limits to nothing: a token that was meant to be narrow never opens all. */
function roomsOf({ room }: VideoGrant): readonly RoomId[] | null {
  if (room === undefined) return null;
  const id = parseRoomId(room);
  return id === null ? [] : [id];
}

function refused(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return expired(error);
  if (error instanceof errors.JWTClaimValidationFailed) return unauthenticated(wrongClaim(error), error);
  if (error instanceof errors.JOSEError) {
    return unauthenticated("this LiveKit token was not signed with this server's LiveKit key pair", error);
  }
  return error instanceof Error ? error : new Error('a token could not be checked', { cause: error });
}

function wrongClaim({ claim, reason }: errors.JWTClaimValidationFailed): string {
  if (claim === 'nbf')
    return 'this LiveKit token is not valid yet; check the clock of the server that signed it';
  if (claim === 'iss')
    return "this LiveKit token was issued by another key than this server's LiveKit API key";
  if (claim === 'exp' && reason === 'missing')
    return 'this LiveKit token never expires; sign it with an expiry';
  return `the claim "${claim}" of this LiveKit token is malformed`;
}

function expired(cause?: unknown): Error {
  return unauthenticated('this LiveKit token has expired; ask for a new one', cause);
}
