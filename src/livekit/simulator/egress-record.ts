import { posix } from 'node:path';
import {
  EgressInfo,
  EgressSourceType,
  EgressStatus,
  EncodedFileType,
  FileInfo,
  RoomCompositeEgressRequest,
  S3Upload,
  SegmentsInfo,
} from '@livekit/protocol';
import type { EgressOrder, FileOrder } from './egress-order.js';
import type { SimulatedRoom } from './simulated-room.js';

/** Why an egress ends, in the words of its `details`. */
export type EndReason =
  | 'StopEgress API'
  | 'Process killed'
  | 'Source closed'
  | 'Session limit reached'
  | 'CPU exhausted'
  | 'Failure';

export interface EgressFault {
  readonly error: string;
  readonly errorCode: number;
}

/** The record of an egress whose start was accepted at `at` (ns). */
export function acceptedRecord(id: string, order: EgressOrder, room: SimulatedRoom, at: bigint): EgressInfo {
  const info = new EgressInfo({
    egressId: id,
    roomId: room.sid,
    roomName: room.name,
    sourceType: order.usesBrowser ? EgressSourceType.WEB : EgressSourceType.SDK,
    status: EgressStatus.EGRESS_STARTING,
    startedAt: at,
    updatedAt: at,
    request: order.shown,
  });
  info.fileResults = order.files.map((file) => new FileInfo({ filename: filenameOf(file, order, room, at) }));
  info.segmentResults = order.segments.map(
    (segments) =>
      new SegmentsInfo({
        playlistName: beside(segments.filenamePrefix, segments.playlistName),
        livePlaylistName: beside(segments.filenamePrefix, segments.livePlaylistName),
      }),
  );
  mirrorFile(info, order);
  return info;
}

/** One that is over, with as much in it as a real one has. */
export function endedRecord(egressId: string, roomName: string, at: bigint): EgressInfo {
  const startedAt = at - 60_000_000_000n;
  const filename = `elsewhere/${roomName}/${egressId}.mp4`;
  const upload = { bucket: 'elsewhere', region: 'us-east-1', accessKey: '{access_key}', secret: '{secret}' };
  const file = {
    filename,
    startedAt,
    endedAt: at,
    duration: 60_000_000_000n,
    size: 4_200_000n,
    location: `https://elsewhere.s3.amazonaws.com/${filename}`,
  };
  return new EgressInfo({
    egressId,
    roomId: 'RM_planted00000',
    roomName,
    status: EgressStatus.EGRESS_COMPLETE,
    startedAt,
    endedAt: at,
    updatedAt: at,
    details: detailsOf('StopEgress API'),
    request: {
      case: 'roomComposite',
      value: new RoomCompositeEgressRequest({
        roomName,
        layout: 'grid',
        fileOutputs: [{ filepath: filename, output: { case: 's3', value: new S3Upload(upload) } }],
      }),
    },
    fileResults: [file],
    result: { case: 'file', value: new FileInfo(file) },
  });
}

/** Changes the file's part of the record, in both places that show it. */
export function setFile(info: EgressInfo, order: EgressOrder, changes: Partial<FileInfo>): void {
  info.fileResults = info.fileResults.map((file) => new FileInfo({ ...file, ...changes }));
  mirrorFile(info, order);
}

export function setMediaStart(info: EgressInfo, order: EgressOrder, at: bigint): void {
  setFile(info, order, { startedAt: at });
  for (const segments of info.segmentResults) segments.startedAt = at;
}

export function setMediaEnd(info: EgressInfo, order: EgressOrder, at: bigint): void {
  const startedAt = info.fileResults[0]?.startedAt ?? 0n;
  setFile(info, order, { endedAt: at, duration: at - startedAt });
  for (const segments of info.segmentResults) {
    segments.endedAt = at;
    segments.duration = at - segments.startedAt;
  }
}

export function setEnded(
  info: EgressInfo,
  status: EgressStatus,
  at: bigint,
  reason: EndReason | null,
  fault: EgressFault | null = null,
): void {
  info.status = status;
  info.endedAt = at;
  info.updatedAt = at;
  if (reason !== null) info.details = detailsOf(reason);
  info.error = fault?.error ?? '';
  info.errorCode = fault?.errorCode ?? 0;
}

export function detailsOf(reason: EndReason): string {
  return `End reason: ${reason}`;
}

export function isTerminal({ status }: EgressInfo): boolean {
  return status > EgressStatus.EGRESS_ENDING;
}

export function statusName({ status }: EgressInfo): string {
  return EgressStatus[status];
}

/** The older field shows the file once more where it is the only output. */
function mirrorFile(info: EgressInfo, order: EgressOrder): void {
  const [file] = info.fileResults;
  if (file && order.outputs === 1) info.result = { case: 'file', value: new FileInfo(file) };
}

const EXTENSIONS = /\.(raw|ogg|mp3|ivf|mp4|ts|webm|m3u8|jpeg)$/;

function filenameOf(file: FileOrder, order: EgressOrder, room: SimulatedRoom, at: bigint): string {
  const extension = extensionOf(file, order);
  const time = new Date(Number(at / 1_000_000n)).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const path = file.filepath
    .replaceAll('{room_name}', room.name)
    .replaceAll('{room_id}', room.sid)
    .replaceAll('{time}', time)
    .replace(/^(\.\.\/)+/, '');
  if (path === '' || path.endsWith('/')) return `${path}${room.name}-${time}${extension}`;
  return `${path.replace(EXTENSIONS, '')}${extension}`;
}

function extensionOf({ fileType, filepath }: FileOrder, { audioOnly }: EgressOrder): string {
  if (fileType === EncodedFileType.OGG) return '.ogg';
  if (fileType === EncodedFileType.MP4 || (audioOnly && filepath.endsWith('.mp4'))) return '.mp4';
  return audioOnly ? '.ogg' : '.mp4';
}

function beside(prefix: string, name: string): string {
  return name === '' ? '' : posix.join(posix.dirname(prefix), posix.basename(name));
}
