import {
  AliOSSUpload,
  AzureBlobUpload,
  EncodedFileOutput,
  EncodedFileType,
  GCPUpload,
  RoomCompositeEgressRequest,
  S3Upload,
  SegmentedFileOutput,
  StartEgressRequest,
  type EgressInfo,
} from '@livekit/protocol';
import type { PictureShape } from './recorded-media.js';
import { overBus } from './twirp-refusal.js';

export interface FileOrder {
  readonly filepath: string;
  readonly fileType: EncodedFileType;
  readonly disableManifest: boolean;
  /** Null: the worker's own disk. `unknown`: a storage that the simulator has no client for. */
  readonly storage: S3Upload | 'unknown' | null;
}

export interface SegmentOrder {
  readonly filenamePrefix: string;
  readonly playlistName: string;
  readonly livePlaylistName: string;
  /** 0: LiveKit's own. */
  readonly seconds: number;
  readonly storage: FileOrder['storage'];
}

/** What a start asks for, the same for the old request and the new one. */
export interface EgressOrder {
  readonly roomName: string;
  readonly audioOnly: boolean;
  /** Without one, audio is recorded from a media connection: sooner ready and far cheaper. */
  readonly usesBrowser: boolean;
  readonly files: readonly FileOrder[];
  readonly segments: readonly SegmentOrder[];
  /** How many outputs of any kind. */
  readonly outputs: number;
  /** What is wrong with it, in the worker's words. */
  readonly fault: string | null;
  /** What is shown of the request: without its secrets. */
  readonly shown: EgressInfo['request'];
  /** As it was sent, with them. */
  readonly request: RoomCompositeEgressRequest | StartEgressRequest;
  /** Of the video; null: audio alone. */
  readonly picture: PictureShape | null;
}

/** The request of an order that another process goes on with: its kind, and protobuf's JSON. */
export interface KeptRequest {
  readonly kind: 'roomComposite' | 'egress';
  readonly json: ReturnType<EgressInfo['toJson']>;
}

export function keepRequest({ request }: EgressOrder): KeptRequest {
  return {
    kind: request instanceof StartEgressRequest ? 'egress' : 'roomComposite',
    json: request.toJson(),
  };
}

export function orderOfKept({ kind, json }: KeptRequest): EgressOrder {
  return kind === 'egress'
    ? orderOfStartEgress(StartEgressRequest.fromJson(json))
    : orderOfRoomComposite(RoomCompositeEgressRequest.fromJson(json));
}

export function orderOfRoomComposite(request: RoomCompositeEgressRequest): EgressOrder {
  const files = [...request.fileOutputs, ...(request.output.case === 'file' ? [request.output.value] : [])];
  const segments = [
    ...request.segmentOutputs,
    ...(request.output.case === 'segments' ? [request.output.value] : []),
  ];
  const streams = request.streamOutputs.length + (request.output.case === 'stream' ? 1 : 0);
  const shown = request.clone();
  [...shown.fileOutputs, ...shown.segmentOutputs, shown.output.value].forEach(redactOutput);
  const { audioOnly, videoOnly, roomName } = request;
  const outputs = files.length + segments.length + streams + request.imageOutputs.length;
  return {
    roomName,
    audioOnly,
    usesBrowser: !audioOnly || request.layout !== '' || request.customBaseUrl !== '',
    files: files.map((file) => toFileOrder(file, file.output)),
    segments: segments.map((one) => toSegmentOrder(one, one.output)),
    outputs,
    fault:
      audioOnly && videoOnly ? 'audio_only and video_only' : faultOf(files.length, segments.length, outputs),
    shown: { case: 'roomComposite', value: shown },
    request,
    picture: audioOnly ? null : pictureOf(request.options),
  };
}

/** The request of the newer API, for a room's template. Throws 501 for its other sources. */
export function orderOfStartEgress(request: StartEgressRequest): EgressOrder {
  if (request.source.case !== 'template') {
    throw overBus('unimplemented', 'this simulator records rooms, no web pages and no single participants');
  }
  const { audioOnly, videoOnly, layout, customBaseUrl } = request.source.value;
  const shown = request.clone();
  redactStorage(shown.storage?.provider.value);
  for (const { storage } of shown.outputs) redactStorage(storage?.provider.value);
  const files = request.outputs.flatMap(({ config, storage }) =>
    config.case === 'file' ? [toFileOrder(config.value, storage?.provider ?? request.storage?.provider)] : [],
  );
  const segments = request.outputs.flatMap(({ config, storage }) =>
    config.case === 'segments'
      ? [toSegmentOrder(config.value, storage?.provider ?? request.storage?.provider)]
      : [],
  );
  return {
    roomName: request.roomName,
    audioOnly,
    usesBrowser: !audioOnly || layout !== '' || customBaseUrl !== '',
    files,
    segments,
    outputs: request.outputs.length,
    fault:
      audioOnly && videoOnly
        ? 'audio_only and video_only'
        : faultOf(files.length, segments.length, request.outputs.length),
    shown: { case: 'egress', value: shown },
    request,
    picture: audioOnly ? null : pictureOf(request.encoding),
  };
}

/** The worker's refusal of an order that it can't carry out. */
export function checkOrder(order: EgressOrder): void {
  if (order.fault !== null) {
    throw overBus('invalid_argument', `request has missing or invalid field: ${order.fault}`);
  }
  const wantsOgg = order.files.some(({ fileType }) => fileType === EncodedFileType.OGG);
  // OGG has Opus, segments have AAC: nothing is in both.
  if (wantsOgg && (!order.audioOnly || order.segments.length > 0)) {
    throw overBus('invalid_argument', 'no supported codec is compatible with all outputs');
  }
}

type Encoding = RoomCompositeEgressRequest['options'] | StartEgressRequest['encoding'];

/** LiveKit's presets in the order of their numbers; what names none has the first. */
const PICTURES: readonly PictureShape[] = [
  { width: 1280, height: 720, framesPerSecond: 30 },
  { width: 1280, height: 720, framesPerSecond: 60 },
  { width: 1920, height: 1080, framesPerSecond: 30 },
  { width: 1920, height: 1080, framesPerSecond: 60 },
  { width: 720, height: 1280, framesPerSecond: 30 },
  { width: 720, height: 1280, framesPerSecond: 60 },
  { width: 1080, height: 1920, framesPerSecond: 30 },
  { width: 1080, height: 1920, framesPerSecond: 60 },
];

function pictureOf(encoding: Encoding): PictureShape {
  const preset = encoding.case === 'preset' ? encoding.value : 0;
  return PICTURES[preset] ?? PICTURES[0]!;
}

type Upload = { readonly case?: string; readonly value?: unknown } | undefined;

function toFileOrder(
  file: { filepath: string; fileType: EncodedFileType; disableManifest: boolean },
  upload: Upload,
): FileOrder {
  return {
    filepath: file.filepath,
    fileType: file.fileType,
    disableManifest: file.disableManifest,
    storage: storageOf(upload),
  };
}

function toSegmentOrder(segments: SegmentedFileOutput, upload: Upload): SegmentOrder {
  const { filenamePrefix, playlistName, livePlaylistName, segmentDuration: seconds } = segments;
  return { filenamePrefix, playlistName, livePlaylistName, seconds, storage: storageOf(upload) };
}

function storageOf(upload: Upload): FileOrder['storage'] {
  const { value } = upload ?? {};
  if (value instanceof S3Upload) return value;
  return value === undefined ? null : 'unknown';
}

function faultOf(files: number, segments: number, outputs: number): string | null {
  if (outputs === 0) return 'output';
  if (files > 1) return 'multiple file outputs';
  return segments > 1 ? 'multiple segmented file outputs' : null;
}

function redactOutput(output: unknown): void {
  if (output instanceof EncodedFileOutput || output instanceof SegmentedFileOutput) {
    redactStorage(output.output.value);
  }
}

/** The same words in place of secrets as LiveKit's; what was empty stays empty. */
function redactStorage(storage: unknown): void {
  if (storage instanceof S3Upload) {
    storage.accessKey &&= '{access_key}';
    storage.secret &&= '{secret}';
    storage.sessionToken &&= '{session_token}';
    storage.assumeRoleExternalId &&= '{external_id}';
  } else if (storage instanceof GCPUpload) {
    storage.credentials &&= '{credentials}';
  } else if (storage instanceof AzureBlobUpload) {
    storage.accountName &&= '{account_name}';
    storage.accountKey &&= '{account_key}';
  } else if (storage instanceof AliOSSUpload) {
    storage.accessKey &&= '{access_key}';
    storage.secret &&= '{secret}';
  }
}
