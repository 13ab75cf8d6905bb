import {
  type EgressInfo,
  type EncodedFileOutput,
  type FileInfo,
  type ParticipantInfo,
  ParticipantInfo_Kind,
  EgressStatus as ProtoEgressStatus,
  type Room,
  type WebhookEvent,
} from '@livekit/protocol';
import {
  DEPLOYMENT_METADATA,
  type EgressBucket,
  type EgressEndCause,
  type EgressFile,
  type EgressSeen,
  type EgressStatus,
  type LiveKitEvent,
  type LiveRoomSeen,
  type ParticipantSeen,
} from './livekit.types.js';

const NS_PER_MS = 1_000_000n;

const STATUS: Partial<Record<number, EgressStatus>> = {
  [ProtoEgressStatus.EGRESS_STARTING]: 'STARTING',
  [ProtoEgressStatus.EGRESS_ACTIVE]: 'ACTIVE',
  [ProtoEgressStatus.EGRESS_ENDING]: 'ENDING',
  [ProtoEgressStatus.EGRESS_COMPLETE]: 'COMPLETE',
  [ProtoEgressStatus.EGRESS_FAILED]: 'FAILED',
  [ProtoEgressStatus.EGRESS_ABORTED]: 'ABORTED',
  [ProtoEgressStatus.EGRESS_LIMIT_REACHED]: 'LIMIT_REACHED',
};

const END_CAUSE: Record<string, EgressEndCause> = {
  'StopEgress API': 'stop-api',
  'Process killed': 'process-killed',
  'Source closed': 'source-closed',
  'Session limit reached': 'limit-reached',
  'All streams stopped': 'streams-stopped',
  'CPU exhausted': 'cpu-exhausted',
  Failure: 'failure',
};

const PARTICIPANT_KIND: Partial<Record<number, ParticipantSeen['kind']>> = {
  [ParticipantInfo_Kind.STANDARD]: 'standard',
  [ParticipantInfo_Kind.INGRESS]: 'ingress',
  [ParticipantInfo_Kind.EGRESS]: 'egress',
  [ParticipantInfo_Kind.SIP]: 'sip',
  [ParticipantInfo_Kind.AGENT]: 'agent',
};

const MAX_LENGTH = 300;
/** More than is ever shown, so that the patterns below never work on a text of any size. */
const MAX_READ = 4_000;

/** In this order: what is longest and most telling goes first, so that no rest of it survives as something else. */
const HIDDEN: readonly (readonly [RegExp, string])[] = [
  [/[\p{Cc}\s]+/gu, ' '],
  [/\beyJ[\w-]+(?:\.[\w-]*){1,2}/g, '[token]'],
  [/\b(?:Bearer|Basic) +[^\s"',;]+/gi, '[token]'],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)\],;]+/gi, '[address]'],
  [
    /\b((?:[\w-]*(?:secret|token|password|passwd|credential|signature|authorization)|(?:api|access)[_ -]?key(?:[_ -]?id)?)s?)["']? ?[=:] ?["']?[^\s"',;&]+/gi,
    '$1=[secret]',
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '[secret]'],
  [/[A-Za-z0-9+=_-]{40,}/g, '[secret]'],
  [/(?<![\w/+])(?=[a-z/+]*[A-Z0-9])[A-Za-z0-9/+]{40}(?![\w/+.-])/g, '[secret]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '[address]'],
  [/\[[0-9a-f:.]*:[0-9a-f:.%\w]*\](?::\d{1,5})?/gi, '[address]'],
  [/(?<![\w:.\]])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w+)?(?![\w:])/gi, '[address]'],
  [/\b(lookup) +[\w.-]+/gi, '$1 [address]'],
  [/\b(?!(?:status|code|statuscode|line|exit|error)\b)[a-z0-9][\w-]*(?:\.[\w-]+)*:\d{2,5}\b/gi, '[address]'],
  [/\b(?:[a-z0-9-]+\.){2,}[a-z]{2,}\b(?!\/)/gi, '[address]'],
  [/\b[a-z0-9-]+\.(?:com|net|org|io|cloud|dev|internal|local|localdomain|lan|svc)\b/gi, '[address]'],
  [/(?<![\w.\]/])~?\/[\w.@~+%=-][\w.@~+%=/-]*/g, '[path]'],
  [/\b[a-z]:\\[^\s"',;]+/gi, '[path]'],
];

export function toEgressSeen(info: EgressInfo): EgressSeen {
  const result = fileResult(info);
  return {
    egressId: info.egressId,
    roomName: info.roomName,
    roomSid: info.roomId || null,
    bucket: requestedBucket(info),
    status: toStatus(info, result),
    filepath: requestedFilepath(info) || result?.filename || null,
    startedAtMs: toMs(info.startedAt),
    endedAtMs: toMs(info.endedAt),
    updatedAtMs: toMs(info.updatedAt),
    file: result ? toEgressFile(result) : null,
    error: info.error === '' ? null : sanitizeEgressError(info.error),
    errorCode: info.errorCode,
    endCause: toEndCause(info.details),
  };
}

export function toLiveRoomSeen(room: Room): LiveRoomSeen {
  return {
    name: room.name,
    sid: room.sid,
    numParticipants: room.numParticipants,
    numPublishers: room.numPublishers,
    activeRecording: room.activeRecording,
    createdAtMs: Number(room.creationTimeMs || room.creationTime * 1_000n),
  };
}

export function toParticipantSeen(participant: ParticipantInfo): ParticipantSeen {
  return {
    identity: participant.identity,
    kind: toParticipantKind(participant.kind),
    publishes: participant.tracks.length > 0,
  };
}

/** Plain JSON data. `fallbackId` names an event that came without an id of its own. */
export function toLiveKitEvent(event: WebhookEvent, fallbackId: string): LiveKitEvent {
  const base = { id: event.id || fallbackId, createdAtMs: Number(event.createdAt) * 1_000 };
  const roomName = event.room?.name || event.egressInfo?.roomName || null;
  if (event.event.startsWith('egress_') && event.egressInfo) {
    return { ...base, kind: 'egress', egress: toEgressSeen(event.egressInfo) };
  }
  if (roomName !== null && (event.event === 'room_started' || event.event === 'room_finished')) {
    return { ...base, kind: event.event === 'room_started' ? 'room-started' : 'room-finished', roomName };
  }
  const { participant } = event;
  const isJoin = event.event === 'participant_joined';
  if (roomName !== null && participant && (isJoin || event.event === 'participant_left')) {
    return {
      ...base,
      kind: isJoin ? 'participant-joined' : 'participant-left',
      roomName,
      identity: participant.identity,
      participantKind: toParticipantKind(participant.kind),
    };
  }
  return { ...base, kind: 'other', name: event.event, roomName };
}

/** `EGRESS_COMPLETE` is COMPLETE; null for a word that is no status. */
export function parseEgressStatus(word: string): EgressStatus | null {
  const known = Object.values(STATUS).find((status) => `EGRESS_${status}` === word);
  return known ?? null;
}

/**
 * LiveKit's own words as they may be shown and logged: without addresses, absolute paths, tokens and secrets, on one
 * line, at most 300 characters. The names of objects in the bucket stay, they are ours.
 */
export function sanitizeEgressError(text: string): string {
  const shown = HIDDEN.reduce(
    (rest, [pattern, instead]) => rest.replace(pattern, instead),
    text.slice(0, MAX_READ),
  );
  const line = shown.trim();
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 1)}…`;
}

/** A status this version doesn't know (its name is decoded as 0) is read from the times, which only grow. */
function toStatus(info: EgressInfo, result: FileInfo | null): EgressStatus {
  const named = STATUS[info.status];
  const contradicted = named === 'STARTING' && info.endedAt > 0n;
  if (named !== undefined && !contradicted) return named;
  if (info.endedAt > 0n) return result?.location ? 'COMPLETE' : 'FAILED';
  return result && result.startedAt > 0n ? 'ACTIVE' : 'STARTING';
}

function toEgressFile(file: FileInfo): EgressFile {
  const uploaded = file.location !== '';
  return {
    filename: file.filename,
    uploaded,
    startedAtMs: toMs(file.startedAt),
    endedAtMs: toMs(file.endedAt),
    durationMs: toMs(file.duration),
    sizeBytes: uploaded || file.size > 0n ? Number(file.size) : null,
  };
}

function fileResult(info: EgressInfo): FileInfo | null {
  return info.fileResults[0] ?? (info.result.case === 'file' ? info.result.value : null);
}

/** The bucket that was asked for, wherever the request's kind keeps it: of its file, or of the request as a whole. */
function requestedBucket({ request }: EgressInfo): EgressBucket | null {
  switch (request.case) {
    case 'egress': {
      const output = request.value.outputs.find(({ config }) => config.case === 'file');
      return toBucket((output?.storage ?? request.value.storage)?.provider);
    }
    case 'roomComposite':
    case 'web':
    case 'trackComposite':
    case 'participant': {
      return toBucket(request.value.fileOutputs[0]?.output);
    }
    default:
      return null;
  }
}

type Upload = EncodedFileOutput['output'];

/** One of another kind of store is named by that kind: it is none of S3's. */
function toBucket(upload: Upload | undefined): EgressBucket | null {
  switch (upload?.case) {
    case 's3': {
      const { bucket, endpoint, metadata } = upload.value;
      return { name: bucket, endpoint, deployment: metadata[DEPLOYMENT_METADATA] ?? null };
    }
    case 'gcp':
    case 'aliOSS':
      return { name: upload.value.bucket, endpoint: `${upload.case}:`, deployment: null };
    case 'azure':
      return { name: upload.value.containerName, endpoint: 'azure:', deployment: null };
    default:
      return null;
  }
}

/** The path that was asked for, wherever the request's kind keeps it; empty where it names none. */
function requestedFilepath({ request }: EgressInfo): string {
  switch (request.case) {
    case 'egress':
      return firstFilepath(request.value.outputs.map(({ config }) => config));
    case 'roomComposite':
    case 'web':
    case 'trackComposite':
      return request.value.fileOutputs[0]?.filepath ?? firstFilepath([request.value.output]);
    case 'participant':
      return request.value.fileOutputs[0]?.filepath ?? '';
    case 'track':
      return firstFilepath([request.value.output]);
    default:
      return '';
  }
}

type AnyOutput = { case: 'file'; value: { filepath: string } } | { case?: string; value?: unknown };

function firstFilepath(outputs: readonly AnyOutput[]): string {
  for (const output of outputs) if (isFileOutput(output)) return output.value.filepath;
  return '';
}

function isFileOutput(output: AnyOutput): output is Extract<AnyOutput, { case: 'file' }> {
  return output.case === 'file';
}

function toEndCause(details: string): EgressEndCause | null {
  const reason = /End reason: *(.+)/.exec(details)?.[1]?.trim() ?? '';
  return END_CAUSE[reason] ?? null;
}

function toParticipantKind(kind: number): ParticipantSeen['kind'] {
  return PARTICIPANT_KIND[kind] ?? 'other';
}

function toMs(ns: bigint): number | null {
  return ns > 0n ? Number(ns / NS_PER_MS) : null;
}
