import {
  EncodedFileOutput,
  EncodedFileType,
  EncodingOptionsPreset,
  RoomCompositeEgressRequest,
  S3Upload,
  SegmentedFileOutput,
} from '@livekit/protocol';
import type { Config } from '../config/config.js';
import { parseUrl } from '../kernel/url.js';
import {
  DEPLOYMENT_METADATA,
  type EgressOutput,
  type SegmentsOutput,
  type StartEgress,
  type WorkerKind,
} from './livekit.types.js';

/** Where LiveKit tells of an egress, besides where its own configuration says; `signingKey` is the name of a key, no secret. */
export interface RequestWebhook {
  readonly url: string;
  /** Never left out: without it, and without one in its configuration, livekit-server's queue of webhooks gets stuck. */
  readonly signingKey: string;
}

/**
 * Null where we don't know by which address LiveKit would reach us: PUBLIC_URL is a guess, or says "this very machine" of
 * another machine than LiveKit's.
 */
export function requestWebhook({ isPublicUrlSet, publicUrl, livekit }: Config): RequestWebhook | null {
  if (!isPublicUrlSet || (isThisMachine(publicUrl) && !isThisMachine(livekit.url))) return null;
  return { url: `${publicUrl}/livekit/webhook`, signingKey: livekit.apiKey };
}

function isThisMachine(address: string): boolean {
  const host = parseUrl(address)?.hostname ?? '';
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

/**
 * Audio alone is sent without layout and preset: LiveKit then records from its own media connection instead of a
 * browser, at a fraction of the cost.
 */
export function toStartRequest(
  start: StartEgress,
  webhook: RequestWebhook | null,
): RoomCompositeEgressRequest {
  return new RoomCompositeEgressRequest({
    roomName: start.roomName,
    webhooks: webhook === null ? [] : [webhook],
    fileOutputs: [toFileOutput(start.output, start.audioOnly && start.segments === null)],
    segmentOutputs: start.segments === null ? [] : [toSegmentOutput(start.segments)],
    ...(start.audioOnly
      ? { audioOnly: true }
      : { layout: start.layout, options: { case: 'preset', value: EncodingOptionsPreset[start.preset] } }),
  });
}

/** A start with everything but an output: of a worker with room for it LiveKit asks what is missing. */
export function toFleetQuestion(roomName: string, kind: WorkerKind): RoomCompositeEgressRequest {
  return new RoomCompositeEgressRequest({ roomName, audioOnly: kind === 'room_composite_audio' });
}

/** Without a manifest: it would be an object that nobody deletes. */
function toFileOutput(output: EgressOutput, isOgg: boolean): EncodedFileOutput {
  return new EncodedFileOutput({
    filepath: output.filepath,
    fileType: isOgg ? EncodedFileType.OGG : EncodedFileType.MP4,
    disableManifest: true,
    ...(output.kind === 's3' ? { output: { case: 's3', value: toS3Upload(output) } } : {}),
  });
}

function toSegmentOutput({
  output,
  playlistName,
  livePlaylistName,
  seconds,
}: SegmentsOutput): SegmentedFileOutput {
  return new SegmentedFileOutput({
    ...{ filenamePrefix: output.filepath, playlistName, livePlaylistName, segmentDuration: seconds },
    disableManifest: true,
    ...(output.kind === 's3' ? { output: { case: 's3', value: toS3Upload(output) } } : {}),
  });
}

function toS3Upload(output: Extract<EgressOutput, { kind: 's3' }>): S3Upload {
  return new S3Upload({
    accessKey: output.accessKeyId ?? '',
    secret: output.secretAccessKey ?? '',
    region: output.region,
    endpoint: output.endpoint ?? '',
    bucket: output.bucket,
    forcePathStyle: output.forcePathStyle,
    metadata: { [DEPLOYMENT_METADATA]: output.deployment },
  });
}
