import type { Incident } from '../../incidents/incidents.port.js';
import { isFinal, type Recording, type RecordingStatus } from '../../recordings/domain/recording.js';
import type { WebhookEventType } from './endpoint.js';

/** What is told of one event, to whichever endpoint wants it. */
export interface Message {
  readonly type: WebhookEventType;
  readonly roomId: string | null;
  readonly recordingId: string | null;
  readonly lane: string;
  readonly body: string;
}

/** An entry of the event log. */
export interface LoggedChange {
  readonly type: 'REQUESTED' | 'STATUS_CHANGED' | 'UPDATED' | 'DELETED';
  readonly at: number;
  readonly cause: string;
  readonly previousStatus: RecordingStatus | null;
  readonly recording: Recording;
}

const INSTANTS = ['requestedAt', 'startedAt', 'endedAt', 'updatedAt'] as const;

/** Paths on this server. */
export interface Paths {
  path(id: string): string;
  livePath(id: string): string;
}

export function messageOfChange(change: LoggedChange, paths: Paths): Message {
  const { recording, previousStatus, cause, at } = change;
  const type = typeOf(change);
  const data = {
    recording: shown(change, paths),
    previousStatus,
    version: recording.version,
    cause,
  };
  return {
    type,
    roomId: recording.roomId,
    recordingId: recording.id,
    lane: recording.id,
    body: bodyOf(type, at, data),
  };
}

export function messageOfIncident(type: 'INCIDENT_OPENED' | 'INCIDENT_CLOSED', incident: Incident): Message {
  const { openedAt, closedAt, ...rest } = incident;
  const data = {
    incident: { ...rest, openedAt: iso(openedAt), closedAt: closedAt === undefined ? null : iso(closedAt) },
  };
  const body = bodyOf(type, closedAt ?? openedAt, data);
  return { type, roomId: null, recordingId: null, lane: incident.id, body };
}

/** `recording.ended` for RECORDING_ENDED. */
export function wordOf(type: WebhookEventType): string {
  return type.toLowerCase().replace('_', '.');
}

function typeOf({ type, recording: { status } }: LoggedChange): WebhookEventType {
  if (type === 'REQUESTED') return 'RECORDING_REQUESTED';
  if (type === 'DELETED') return 'RECORDING_DELETED';
  if (type === 'UPDATED') return 'RECORDING_UPDATED';
  if (status === 'ACTIVE') return 'RECORDING_STARTED';
  return isFinal(status) ? 'RECORDING_ENDED' : 'RECORDING_UPDATED';
}

/** As GraphQL shows it, what is a recording of its own by its id; without mediaUrl, which would open it. */
function shown({ type, recording }: LoggedChange, paths: Paths): object {
  const { continues, continuedBy, hasMedia, ...fields } = recording;
  const isPlayable = hasMedia && isFinal(recording.status) && type !== 'DELETED';
  const instants = Object.fromEntries(
    INSTANTS.map((name) => [name, recording[name] === null ? null : iso(recording[name])]),
  );
  return {
    ...fields,
    ...instants,
    // A row of an earlier version says nothing of them.
    crashProof: Boolean(recording.crashProof),
    recovered: Boolean(recording.recovered),
    continues: continues && { id: continues },
    continuedBy: continuedBy && { id: continuedBy },
    mediaPath: isPlayable ? paths.path(recording.id) : null,
    livePath: recording.crashProof && !isFinal(recording.status) ? paths.livePath(recording.id) : null,
  };
}

function bodyOf(type: WebhookEventType, at: number, data: object): string {
  return JSON.stringify({ type: wordOf(type), timestamp: iso(at), data });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
