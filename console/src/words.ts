import type { Recording, RecordingEvent, RecordingStatus } from './api/contract.js';

/** What a person needs to see at once: in progress, as wished, less than wished, lost, of no interest. */
export type Tone = 'live' | 'wait' | 'good' | 'warn' | 'bad' | 'off';

export interface Outcome {
  readonly word: string;
  readonly tone: Tone;
  /** Why, in few words; empty where there is nothing to add. */
  readonly why: string;
}

const IN_PROGRESS_WORDS: Partial<Record<RecordingStatus, Outcome>> = {
  STARTING: { word: 'Starting', tone: 'wait', why: '' },
  ACTIVE: { word: 'Recording', tone: 'live', why: '' },
  ENDING: { word: 'Ending', tone: 'wait', why: '' },
};
const REASON_WORDS: Record<string, string> = {
  STOP_REQUESTED: 'stopped on request',
  START_CANCELLED: 'before it had begun',
  START_TIMEOUT: 'no start in time',
  START_REJECTED: 'LiveKit refused the start',
  ROOM_ENDED: 'the room ended',
  LIMIT_REACHED: 'maximum duration',
  EGRESS_FAILED: 'the egress failed',
  RECORDER_LOST: 'the egress worker died',
  RECORDER_LEFT: 'the recorder left the room',
  STALE: 'LiveKit lost the egress',
};
/** Ends that left media, though not all of the meeting may be in it. */
const CUT_SHORT = ['RECORDER_LOST', 'RECORDER_LEFT', 'STALE', 'EGRESS_FAILED'];

/** The status of a recording in the words and the colour of what a person needs of it. */
export function outcomeOf({ status, endReason }: Pick<Recording, 'status' | 'endReason'>): Outcome {
  const running = IN_PROGRESS_WORDS[status];
  if (running) return running;
  const why = endReason ? reasonWords(endReason) : '';
  if (status === 'LIMIT_REACHED')
    return { word: 'Limit reached', tone: 'warn', why: endReason === 'LIMIT_REACHED' ? '' : why };
  if (status === 'FAILED') return { word: 'Failed', tone: 'bad', why };
  if (status === 'ABORTED') {
    return endReason === 'START_CANCELLED'
      ? { word: 'Cancelled', tone: 'off', why }
      : { word: 'Lost', tone: 'bad', why };
  }
  const cut = endReason !== null && CUT_SHORT.includes(endReason);
  return { word: cut ? 'Cut short' : 'Complete', tone: cut ? 'warn' : 'good', why };
}

/** A reason for a person; one that a newer server adds is shown as it is called. */
export function reasonWords(reason: string): string {
  return REASON_WORDS[reason] ?? reason.toLowerCase().replaceAll('_', ' ');
}

/** `SINGLE_SPEAKER` → `Single speaker`. */
export function plainWords(name: string): string {
  const words = name.toLowerCase().replaceAll('_', ' ');
  return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/livekit/i, 'LiveKit');
}

/** `PORTRAIT_H264_720P_30` → `720p, 30 fps, portrait`. */
export function presetWords(preset: string): string {
  const [, portrait, lines, rate] = /^(PORTRAIT_)?H264_(\d+)P_(\d+)$/.exec(preset) ?? [];
  return lines ? `${lines}p, ${rate} fps${portrait ? ', portrait' : ''}` : preset;
}

export function sentenceOf({ type, recording }: RecordingEvent): string {
  if (type === 'DELETED') return `A recording of ${recording.roomName} was deleted.`;
  const { word, why } = outcomeOf(recording);
  return `Recording of ${recording.roomName}: ${word.toLowerCase()}${why && `, ${why}`}.`;
}

/** `0:42`, `12:05`, `1:02:03`. */
export function lengthWords(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `0.4 s`, `42 s`, `12 min`, `1 h 20 min`. */
export function spanWords(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 90_000) return `${Math.round(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 90 && minutes !== 60) return `${minutes} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return `${hours} h${rest > 0 ? ` ${rest} min` : ''}`;
  return `${Math.round(hours / 24)} days`;
}

/** `812 B`, `1.4 MB`: decimal units, as the systems' file dialogs show them. */
export function sizeWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${COUNT.format(count)} ${count === 1 ? one : many}`;
}

const COUNT = new Intl.NumberFormat(undefined);
const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const YEAR = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const PRECISE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const STEP = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});

/** With milliseconds: between two steps of a recording there are often no more. */
export function stepInstant(instant: string): string {
  return STEP.format(new Date(instant));
}

/** `20:07:01`. */
export function clockWords(ms: number): string {
  return CLOCK.format(new Date(ms));
}

/** `14:05`, `yesterday 14:05`, `3 Nov 14:05`, `3 Nov 2025`. */
export function dateWords(instant: string, now: number): string {
  const date = new Date(instant);
  const daysAgo = Math.round((midnight(new Date(now)) - midnight(date)) / 86_400_000);
  if (daysAgo === 0) return TIME.format(date);
  if (daysAgo === 1) return `yesterday ${TIME.format(date)}`;
  if (date.getFullYear() !== new Date(now).getFullYear()) return YEAR.format(date);
  return `${DAY.format(date)}, ${TIME.format(date)}`;
}

/** `14:05:09`, `3 Nov 2025, 14:05:09`. */
export function exactWords(instant: string, now: number): string {
  const date = new Date(instant);
  const isToday = midnight(date) === midnight(new Date(now));
  return isToday ? CLOCK.format(date) : `${YEAR.format(date)}, ${CLOCK.format(date)}`;
}

/** `just now`, `5 min ago`, `3 days ago`, `in 2 h`. */
export function agoWords(instant: string, now: number): string {
  const ms = now - Date.parse(instant);
  if (Math.abs(ms) < 10_000) return 'just now';
  return ms < 0 ? `in ${spanWords(-ms)}` : `${spanWords(ms)} ago`;
}

/** With the zone. */
export function preciseInstant(instant: string): string {
  return PRECISE.format(new Date(instant));
}

export function kindWords(recording: Pick<Recording, 'audioOnly' | 'layout' | 'preset'>): string {
  if (recording.audioOnly) return 'Audio only';
  return `${plainWords(recording.layout)}, ${presetWords(recording.preset)}`;
}

/** As short as it can be: `Grid, 720p`. */
export function shortKindWords(recording: Pick<Recording, 'audioOnly' | 'layout' | 'preset'>): string {
  if (recording.audioOnly) return 'Audio only';
  return `${plainWords(recording.layout)}, ${/\d+P/.exec(recording.preset)?.[0].toLowerCase() ?? recording.preset}`;
}

export function labelWords(labels: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(labels).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}

function midnight(date: Date): number {
  return new Date(date).setHours(0, 0, 0, 0);
}
