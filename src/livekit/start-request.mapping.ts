import {
  EncodedFileOutput,
  EncodedFileType,
  EncodingOptionsPreset,
  RoomCompositeEgressRequest,
  S3Upload,
  SegmentedFileOutput,
} from '@livekit/protocol';
import {
  DEPLOYMENT_METADATA,
  type EgressOutput,
  type SegmentsOutput,
  type StartEgress,
  type WorkerKind,
} from './livekit.types.js';

/**
 * Audio alone is sent without layout and preset: LiveKit then records from its own media connection instead of a
 * browser, at a fraction of the cost.
 */
export function toStartRequest(start: StartEgress): RoomCompositeEgressRequest {
  return new RoomCompositeEgressRequest({
    roomName: start.roomName,
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
