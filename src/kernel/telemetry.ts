import { channel } from 'node:diagnostics_channel';

/** What this process does that somebody may want to count. Lengths are in seconds, as Prometheus has them. */
export interface TelemetryEvents {
  /** LiveKit was asked; `method` as in its API, `RoomService/ListRooms`. */
  'livekit-request': { readonly method: string; readonly outcome: LiveKitOutcome; readonly seconds: number };
  /** `from` null: it was requested. */
  'recording-changed': {
    readonly from: string | null;
    readonly to: string;
    readonly endReason: string | null;
    readonly secondsSinceRequest: number;
  };
  'sweep-finished': {
    readonly sweep: string;
    readonly dryRun: boolean;
    readonly examined: number;
    readonly acted: number;
    readonly failed: number;
  };
  /** An operation was answered; `field` is its one field of the schema's root, or what sort it is else. */
  'graphql-operation': {
    readonly type: 'query' | 'mutation' | 'subscription';
    readonly field: string;
    readonly outcome: 'ok' | 'error';
    readonly seconds: number;
  };
  /** A webhook of LiveKit's was believed, and applied or stored, so long after what it tells of; LiveKit's clock has whole seconds. */
  'livekit-webhook': { readonly lagSeconds: number };
  /** What a webhook told was carried out; some time later where there was much to do. */
  'livekit-webhook-applied': Readonly<Record<string, never>>;
  /** A webhook was not believed. */
  'webhook-refused': { readonly reason: string };
  /** For so long more a room should have been recorded and was not. */
  'room-unrecorded': { readonly seconds: number };
  /** A job did not find what it needs, and is run again later; `dependency` is the code of that. */
  'job-put-off': { readonly queue: string; readonly dependency: string };
  /** An event was read by this process for those who follow the log, so long after it was written. */
  'event-read': { readonly lagSeconds: number };
}

export type LiveKitOutcome = 'ok' | 'refused' | 'failed' | 'timeout' | 'unreachable';

/** Costs next to nothing while nobody listens, and never fails who tells. */
export function emitTelemetry<Name extends keyof TelemetryEvents>(
  name: Name,
  what: TelemetryEvents[Name],
): void {
  channelOf(name).publish(what);
}

/** Hears what happens anywhere in this process until the function it answers is called. */
export function onTelemetry<Name extends keyof TelemetryEvents>(
  name: Name,
  ear: (what: TelemetryEvents[Name]) => void,
): () => void {
  const listener = (what: unknown): void => ear(what as TelemetryEvents[Name]);
  channelOf(name).subscribe(listener);
  return () => void channelOf(name).unsubscribe(listener);
}

/**
 * Held here, one for each name: a channel that nobody holds is forgotten by Node when memory is cleared, and with it, some time
 * later, the one that has taken its place meanwhile, listeners included.
 */
const channels = new Map<keyof TelemetryEvents, ReturnType<typeof channel>>();

function channelOf(name: keyof TelemetryEvents): ReturnType<typeof channel> {
  const known = channels.get(name) ?? channel(`tallylight:${name}`);
  channels.set(name, known);
  return known;
}
