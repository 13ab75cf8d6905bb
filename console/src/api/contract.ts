import type { ResultOf, VariablesOf } from 'gql.tada';
import type {
  BULK_DELETION,
  EVENTS,
  RECORDING,
  RECORDINGS,
  SEEN,
  SHARE_LINKS,
  START,
  SYSTEM,
  VIEWER,
} from './documents.js';
import type { SEEN_ROOM, UPDATE_ROOM } from './room-documents.js';

export type Recording = ResultOf<typeof SEEN>;
export type RecordingEvent = ResultOf<typeof EVENTS>['recordingEvents'];
export type RecordingDetail = NonNullable<ResultOf<typeof RECORDING>['recording']>;
export type HistoryStep = RecordingDetail['history']['nodes'][number];
export type Room = ResultOf<typeof SEEN_ROOM>;
export type Viewer = ResultOf<typeof VIEWER>['viewer'];
export type SystemView = ResultOf<typeof SYSTEM>['system'];
export type BulkDeletion = NonNullable<ResultOf<typeof BULK_DELETION>['bulkDeletion']>;
export type ShareLink = NonNullable<
  NonNullable<ResultOf<typeof SHARE_LINKS>['recording']>['shareLinks']
>[number];

export type RecordingStatus = Recording['status'];
export type RecordingEndReason = NonNullable<Recording['endReason']>;
export type RecordingLayout = Recording['layout'];
export type EncodingPreset = Recording['preset'];
export type RecordingFilter = NonNullable<VariablesOf<typeof RECORDINGS>['filter']>;
export type RecordingSort = Required<NonNullable<VariablesOf<typeof RECORDINGS>['sort']>>;
export type SortField = NonNullable<RecordingSort['field']>;
export type StartInput = VariablesOf<typeof START>['input'];
export type SettingsInput = NonNullable<VariablesOf<typeof UPDATE_ROOM>['input']['recordingSettings']>;

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
export const END_REASONS: readonly RecordingEndReason[] = [
  'STOP_REQUESTED',
  'START_CANCELLED',
  'START_TIMEOUT',
  'START_REJECTED',
  'ROOM_ENDED',
  'LIMIT_REACHED',
  'EGRESS_FAILED',
  'RECORDER_LOST',
  'RECORDER_LEFT',
  'STALE',
];

export function isInProgress(recording: Pick<Recording, 'status'>): boolean {
  return IN_PROGRESS.includes(recording.status);
}
