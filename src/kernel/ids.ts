import { randomBytes, randomUUID } from 'node:crypto';
import { decodeTime, monotonicFactory, ulid } from 'ulid';

declare const brand: unique symbol;
type Branded<T extends string> = string & { readonly [brand]: T };

/** `rec_` and a ULID: ids sort by the time they were made. */
export type RecordingId = Branded<'RecordingId'>;
/** The room's own name, also its LiveKit room name: compared exactly, and never part of a path or key as it is. */
export type RoomId = Branded<'RoomId'>;
/** `del_` and a ULID. */
export type BulkDeletionId = Branded<'BulkDeletionId'>;

const RECORDING_ID = /^rec_[0-9A-HJKMNP-TV-Z]{26}$/;
const BULK_DELETION_ID = /^del_[0-9A-HJKMNP-TV-Z]{26}$/;
/** Neither control characters nor halves of characters. */
const ROOM_ID = /^[^\p{Cc}\p{Cs}]+$/u;
const ROOM_ID_MAX_BYTES = 256;

export function newRecordingId(now: number): RecordingId {
  return `rec_${ulid(now)}` as RecordingId;
}

/** The instant, in ms, at which a recording's id was made. */
export function recordingMadeAt(id: string): number {
  return decodeTime(id.slice('rec_'.length));
}

/** Null for a text that can't be a recording's id: nothing is stored under it. */
export function parseRecordingId(text: string): RecordingId | null {
  return RECORDING_ID.test(text) ? (text as RecordingId) : null;
}

/** Null for a text that no room in LiveKit can be called. */
export function parseRoomId(text: string): RoomId | null {
  // Its length first: a pattern is tried on no more than can be a name.
  if (text.length > ROOM_ID_MAX_BYTES || Buffer.byteLength(text) > ROOM_ID_MAX_BYTES) return null;
  return ROOM_ID.test(text) ? (text as RoomId) : null;
}

export function newRoomId(now: number): RoomId {
  return `room-${ulid(now).toLowerCase()}` as RoomId;
}

export function newBulkDeletionId(now: number): BulkDeletionId {
  return `del_${ulid(now)}` as BulkDeletionId;
}

export function parseBulkDeletionId(text: string): BulkDeletionId | null {
  return BULK_DELETION_ID.test(text) ? (text as BulkDeletionId) : null;
}

export function newApiKeyId(now: number): string {
  return `key_${ulid(now)}`;
}

export function parseApiKeyId(text: string): string | null {
  return /^key_[0-9A-HJKMNP-TV-Z]{26}$/.test(text) ? text : null;
}

export function newShareLinkId(now: number): string {
  return `lnk_${ulid(now)}`;
}

/** 256 bits for an address that is handed out, 43 characters of base64url. */
export function newAddressToken(): string {
  return randomBytes(32).toString('base64url');
}

export function newIncidentId(now: number): string {
  return `inc_${ulid(now)}`;
}

export function newWebhookEndpointId(now: number): string {
  return `whe_${ulid(now)}`;
}

/** In the order in which they are made, also within a millisecond. */
export const newWebhookDeliveryId: (now: number) => string = (() => {
  const next = monotonicFactory();
  return (now) => `whd_${next(now)}`;
})();

export function newToken(): string {
  return randomUUID();
}

/** 256 bits for a key that is handed out, in hex. */
export function newSecret(): string {
  return randomBytes(32).toString('hex');
}
