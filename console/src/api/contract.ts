/** What this page reads of the public GraphQL contract; instants are RFC 3339 texts in UTC, sizes bytes, lengths ms. */
export type RecordingStatus =
  'STARTING' | 'ACTIVE' | 'ENDING' | 'COMPLETE' | 'FAILED' | 'ABORTED' | 'LIMIT_REACHED';
export type RecordingLayout = 'GRID' | 'SPEAKER' | 'SINGLE_SPEAKER';
export type EncodingPreset =
  | 'H264_720P_30'
  | 'H264_720P_60'
  | 'H264_1080P_30'
  | 'H264_1080P_60'
  | 'PORTRAIT_H264_720P_30'
  | 'PORTRAIT_H264_720P_60'
  | 'PORTRAIT_H264_1080P_30'
  | 'PORTRAIT_H264_1080P_60';

export const LAYOUTS: readonly RecordingLayout[] = ['GRID', 'SPEAKER', 'SINGLE_SPEAKER'];
export const PRESETS: readonly EncodingPreset[] = [
  'H264_720P_30',
  'H264_720P_60',
  'H264_1080P_30',
  'H264_1080P_60',
  'PORTRAIT_H264_720P_30',
  'PORTRAIT_H264_720P_60',
  'PORTRAIT_H264_1080P_30',
  'PORTRAIT_H264_1080P_60',
];
export const IN_PROGRESS: readonly RecordingStatus[] = ['STARTING', 'ACTIVE', 'ENDING'];
export const ENDED: readonly RecordingStatus[] = ['COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'];

export interface Recording {
  readonly id: string;
  readonly roomId: string;
  readonly roomName: string;
  readonly status: RecordingStatus;
  /** Grows with every change: of two views of a recording the one with the higher version is the newer. */
  readonly version: number;
  readonly egressId: string | null;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly audioOnly: boolean;
  readonly filename: string | null;
  readonly sizeBytes: number | null;
  readonly durationMs: number | null;
  readonly requestedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly endReason: string | null;
  readonly error: string | null;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly mediaPath: string | null;
}

export interface RecordingEvent {
  readonly cursor: string;
  readonly type: 'REQUESTED' | 'STATUS_CHANGED' | 'UPDATED' | 'DELETED';
  readonly at: string;
  readonly cause: string;
  readonly previousStatus: RecordingStatus | null;
  readonly recording: Recording;
}

/** A step of a recording's history. */
export interface HistoryStep {
  readonly type: RecordingEvent['type'];
  readonly at: string;
  readonly cause: string;
  readonly recording: Pick<Recording, 'version' | 'status' | 'endReason'>;
}

export interface RecordingPage {
  readonly nodes: readonly Recording[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number | null;
  readonly eventCursor: string;
}

export interface Room {
  readonly id: string;
  readonly name: string;
  readonly recordingSettings: {
    readonly enabled: boolean;
    readonly layout: RecordingLayout;
    readonly preset: EncodingPreset;
    readonly audioOnly: boolean;
  };
  readonly live: { readonly numParticipants: number; readonly numPublishers: number } | null;
  readonly activeRecording: Recording | null;
}

export interface RoomPage {
  readonly nodes: readonly Room[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export interface StartInput {
  readonly roomId: string;
  readonly layout?: RecordingLayout;
  readonly preset?: EncodingPreset;
  readonly audioOnly?: boolean;
  readonly maxDurationMs?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export function isInProgress(recording: Pick<Recording, 'status'>): boolean {
  return IN_PROGRESS.includes(recording.status);
}
