import type { Recording, RecordingEvent, RecordingStatus } from './api/contract.js';

export const STATUS_WORD: Record<RecordingStatus, string> = {
  STARTING: 'Starting',
  ACTIVE: 'Recording',
  ENDING: 'Ending',
  COMPLETE: 'Complete',
  FAILED: 'Failed',
  ABORTED: 'Aborted',
  LIMIT_REACHED: 'Limit reached',
};

const REASON_WORDS: Record<string, string> = {
  STOP_REQUESTED: 'stopped on request',
  START_CANCELLED: 'cancelled while starting',
  START_TIMEOUT: 'did not start in time',
  START_REJECTED: 'LiveKit did not accept the start',
  ROOM_ENDED: 'the room ended',
  LIMIT_REACHED: 'the limit was reached',
  EGRESS_FAILED: 'the egress failed',
  RECORDER_LOST: 'the recorder was lost',
  STALE: 'LiveKit no longer knows it',
};

/** A reason for a person; one that a newer server adds is shown as it is called. */
export function reasonWords(reason: string): string {
  return REASON_WORDS[reason] ?? reason.toLowerCase().replaceAll('_', ' ');
}

/** `SINGLE_SPEAKER` → `Single speaker`. */
export function layoutWords(layout: string): string {
  const words = layout.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `PORTRAIT_H264_720P_30` → `720p, 30 fps, portrait`. */
export function presetWords(preset: string): string {
  const [, portrait, lines, rate] = /^(PORTRAIT_)?H264_(\d+)P_(\d+)$/.exec(preset) ?? [];
  return lines ? `${lines}p, ${rate} fps${portrait ? ', portrait' : ''}` : preset;
}

export function sentenceOf({ type, recording }: RecordingEvent): string {
  if (type === 'DELETED') return `A recording of ${recording.roomName} was deleted.`;
  const why = recording.endReason ? `, ${reasonWords(recording.endReason)}` : '';
  return `Recording of ${recording.roomName}: ${STATUS_WORD[recording.status].toLowerCase()}${why}.`;
}

/** `0:42`, `12:05`, `1:02:03`. */
export function lengthWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `812 B`, `1.4 MB`: decimal units, as the systems' file dialogs show them. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

const TODAY = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const EARLIER = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const PRECISE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

const STEP = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** With milliseconds: between two steps of a recording there are often no more. */
export function stepInstant(instant: string): string {
  return STEP.format(new Date(instant));
}

export function instantWords(instant: string): string {
  const date = new Date(instant);
  return (date.toDateString() === new Date().toDateString() ? TODAY : EARLIER).format(date);
}

export function preciseInstant(instant: string): string {
  return PRECISE.format(new Date(instant));
}

export function kindWords(recording: Pick<Recording, 'audioOnly' | 'layout' | 'preset'>): string {
  if (recording.audioOnly) return 'Audio only';
  return `${layoutWords(recording.layout)}, ${presetWords(recording.preset)}`;
}

export function labelWords(labels: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(labels).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}
