import {
  Codec,
  DisconnectReason,
  ParticipantInfo,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  Room,
  TimedVersion,
  TrackInfo,
  TrackSource,
  TrackType,
} from '@livekit/protocol';

const CODECS = [
  'audio/PCMU',
  'audio/PCMA',
  'audio/opus',
  'audio/red',
  'video/VP8',
  'video/H264',
  'video/VP9',
];

/** Who joins, as LiveKit tells participants apart. */
export type JoinKind = 'standard' | 'agent' | 'recorder';

/** One room as livekit-server keeps it: who is in it, and the counts it last showed. */
export class SimulatedRoom {
  readonly participants = new Map<string, ParticipantInfo>();
  shown = { participants: 0, publishers: 0 };
  lastLeftMs: number | null = null;
  metadata = '';
  maxParticipants = 0;

  constructor(
    readonly sid: string,
    readonly name: string,
    readonly createdMs: number,
    readonly turnPassword: string,
    public emptyTimeoutSeconds: number,
    public departureTimeoutSeconds: number,
  ) {}

  /** Those who keep the room open: recorders and agents don't. */
  get guests(): ParticipantInfo[] {
    return [...this.participants.values()].filter((participant) => !isDependent(participant));
  }

  get publishers(): ParticipantInfo[] {
    return this.guests.filter(({ isPublisher }) => isPublisher);
  }

  get hasRecorder(): boolean {
    return [...this.participants.values()].some(isRecorder);
  }

  refreshShown(): void {
    this.shown = { participants: this.guests.length, publishers: this.publishers.length };
  }

  /** As ListRooms and the webhooks show it. */
  toRoom(): Room {
    return new Room({
      sid: this.sid,
      name: this.name,
      emptyTimeout: this.emptyTimeoutSeconds,
      departureTimeout: this.departureTimeoutSeconds,
      maxParticipants: this.maxParticipants,
      creationTime: BigInt(Math.floor(this.createdMs / 1_000)),
      creationTimeMs: BigInt(Math.floor(this.createdMs)),
      turnPassword: this.turnPassword,
      enabledCodecs: CODECS.map((mime) => new Codec({ mime })),
      metadata: this.metadata,
      numParticipants: this.shown.participants,
      numPublishers: this.shown.publishers,
      activeRecording: this.hasRecorder,
    });
  }
}

export function newParticipant(
  sid: string,
  identity: string,
  kind: JoinKind,
  joinedMs: number,
): ParticipantInfo {
  const isRecorder = kind === 'recorder';
  return new ParticipantInfo({
    sid,
    identity,
    kind: PROTO_KIND[kind],
    state: ParticipantInfo_State.ACTIVE,
    joinedAt: BigInt(Math.floor(joinedMs / 1_000)),
    joinedAtMs: BigInt(Math.floor(joinedMs)),
    version: 2,
    permission: new ParticipantPermission(
      isRecorder
        ? { canSubscribe: true, hidden: true, recorder: true }
        : { canSubscribe: true, canPublish: true, canPublishData: true, agent: kind === 'agent' },
    ),
    disconnectReason: DisconnectReason.UNKNOWN_REASON,
  });
}

export function newTrack(sid: string, kind: 'audio' | 'video', nowMs: number): TrackInfo {
  const mimeType = kind === 'audio' ? 'audio/red' : 'video/VP8';
  return new TrackInfo({
    sid,
    type: kind === 'audio' ? TrackType.AUDIO : TrackType.VIDEO,
    source: kind === 'audio' ? TrackSource.MICROPHONE : TrackSource.CAMERA,
    mimeType,
    stream: 'camera',
    ...(kind === 'video' ? { width: 1280, height: 720 } : {}),
    version: new TimedVersion({ unixMicro: BigInt(Math.floor(nowMs)) * 1_000n }),
    codecs: [{ mimeType }],
  });
}

export function isRecorder({ kind }: ParticipantInfo): boolean {
  return kind === ParticipantInfo_Kind.EGRESS;
}

/** Does not keep a room open and is not counted. */
export function isDependent({ kind }: ParticipantInfo): boolean {
  return kind === ParticipantInfo_Kind.EGRESS || kind === ParticipantInfo_Kind.AGENT;
}

const PROTO_KIND = {
  standard: ParticipantInfo_Kind.STANDARD,
  agent: ParticipantInfo_Kind.AGENT,
  recorder: ParticipantInfo_Kind.EGRESS,
} as const;
