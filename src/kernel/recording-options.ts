/** How a recording looks; a room has defaults for it, a start may choose otherwise. */
export const RECORDING_LAYOUTS = ['GRID', 'SPEAKER', 'SINGLE_SPEAKER'] as const;
export type RecordingLayout = (typeof RECORDING_LAYOUTS)[number];

export const ENCODING_PRESETS = [
  'H264_720P_30',
  'H264_720P_60',
  'H264_1080P_30',
  'H264_1080P_60',
  'PORTRAIT_H264_720P_30',
  'PORTRAIT_H264_720P_60',
  'PORTRAIT_H264_1080P_30',
  'PORTRAIT_H264_1080P_60',
] as const;
export type EncodingPreset = (typeof ENCODING_PRESETS)[number];
