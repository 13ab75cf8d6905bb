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
import { sanitizeEgressError, toEgressError, toEndCause } from './egress-errors.js';
import {
  DEPLOYMENT_METADATA,
  type EgressBucket,
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

const PARTICIPANT_KIND: Partial<Record<number, ParticipantSeen['kind']>> = {
  [ParticipantInfo_Kind.STANDARD]: 'standard',
  [ParticipantInfo_Kind.INGRESS]: 'ingress',
  [ParticipantInfo_Kind.EGRESS]: 'egress',
  [ParticipantInfo_Kind.SIP]: 'sip',
  [ParticipantInfo_Kind.AGENT]: 'agent',
};

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
    file: result ? toEgressFile(result, info) : null,
    error: toEgressError(info.error),
    errorCode: info.errorCode,
    endCause: toEndCause(info.details, info.error),
    mediaProblem: toMediaProblem(info, result),
    retryCount: info.retryCount,
    segmented: info.segmentResults.length > 0,
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

/** A status this version doesn't know (its name is decoded as 0) is read from the times, which only grow. */
function toStatus(info: EgressInfo, result: FileInfo | null): EgressStatus {
  const named = STATUS[info.status];
  const contradicted = named === 'STARTING' && info.endedAt > 0n;
  if (named !== undefined && !contradicted) return named;
  if (info.endedAt > 0n) return result?.location ? 'COMPLETE' : 'FAILED';
  return result && result.startedAt > 0n ? 'ACTIVE' : 'STARTING';
}

/** What went to the egress' backup storage is not where it should be. */
function toEgressFile(file: FileInfo, { backupStorageUsed }: EgressInfo): EgressFile {
  const uploaded = file.location !== '' && !backupStorageUsed;
  return {
    filename: file.filename,
    uploaded,
    startedAtMs: toMs(file.startedAt),
    endedAtMs: toMs(file.endedAt),
    durationMs: toMs(file.duration),
    sizeBytes: uploaded || file.size > 0n ? Number(file.size) : null,
  };
}

function toMediaProblem(info: EgressInfo, file: FileInfo | null): string | null {
  if (info.endedAt === 0n || !file?.location) return null;
  if (info.backupStorageUsed) {
    const name = sanitizeEgressError(file.filename);
    return `the bucket did not take the upload: the file is in the egress' backup storage, as ${name}; copy it from there`;
  }
  if (file.size === 0n) return 'the file that the egress delivered is empty';
  if (file.duration === 0n) return 'nothing is in the file that the egress delivered: its length is zero';
  return null;
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

function toParticipantKind(kind: number): ParticipantSeen['kind'] {
  return PARTICIPANT_KIND[kind] ?? 'other';
}

function toMs(ns: bigint): number | null {
  return ns > 0n ? Number(ns / NS_PER_MS) : null;
}
