import type { EgressEndCause } from './livekit.types.js';

const END_CAUSE: Record<string, EgressEndCause> = {
  'StopEgress API': 'stop-api',
  'Process killed': 'process-killed',
  'Source closed': 'source-closed',
  'Session limit reached': 'limit-reached',
  'All streams stopped': 'streams-stopped',
  'CPU exhausted': 'cpu-exhausted',
  Failure: 'failure',
};

interface Meaning {
  readonly words: RegExp;
  /** Must be in it too. */
  readonly and?: RegExp;
  /** What it means, and what to do. */
  readonly meaning: string;
  /** Where the egress' own reason says no more than that it failed, or that it was killed. */
  readonly cause?: EgressEndCause;
}

/** The first one that fits, in LiveKit's and its workers' own words. */
const MEANINGS: readonly Meaning[] = [
  {
    words: /no response from servers/i,
    meaning:
      'no egress worker answers that has room for it; start one, or give it the cores that its cpu_cost asks for (4 for a room)',
  },
  {
    words: /executable file not found|handler failed to start|fork\/exec/i,
    meaning: "the egress worker could not start its recorder; look at that worker's installation and log",
  },
  {
    words: /start signal not received|before start signal/i,
    meaning: 'the recorder saw nobody publish before it ended; start it once somebody does',
  },
  { words: /stop called before pipeline/i, meaning: 'it was stopped before it had begun' },
  {
    words: /requested room does not exist/i,
    meaning: 'the room is not open in LiveKit; start it once somebody is there',
  },
  {
    words: /no space left|disk full|disk quota/i,
    meaning: 'the disk of the egress worker is full; give it more room',
    cause: 'disk-full',
  },
  {
    words: /upload failed/i,
    and: /NoSuchBucket|status code: 404/,
    meaning:
      'there is no such bucket where the egress worker looks; check STORAGE_URL and EGRESS_S3_ENDPOINT',
    cause: 'upload-failed',
  },
  {
    words: /S3 upload failed/i,
    and: /AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|status code: 40[13]/,
    meaning: "the bucket refused the egress' upload; let the key pair that it is given write there",
    cause: 'upload-failed',
  },
  {
    words: /S3 upload failed/i,
    meaning:
      'the egress could not upload its file; check that its worker reaches the bucket (EGRESS_S3_ENDPOINT)',
    cause: 'upload-failed',
  },
  {
    words: /upload failed/i,
    meaning: 'the egress could not put its file where it should be; check the folder and its permissions',
    cause: 'upload-failed',
  },
  {
    words: /CPU exhausted/i,
    meaning: 'the egress worker ran out of CPU; give it more cores, or fewer recordings at a time',
    cause: 'cpu-exhausted',
  },
  {
    words: /\bOOM\b|out of memory/i,
    meaning: 'the egress worker ran out of memory; give it more, or fewer recordings at a time',
    cause: 'out-of-memory',
  },
  {
    words: /server is shutting down/i,
    meaning: 'the egress worker was ended while it recorded; let it finish first (a long grace period)',
    cause: 'process-killed',
  },
  {
    words: /signal: |exit status/i,
    meaning:
      "the egress worker's recorder died, as for a lack of memory; look at that worker's limits and log",
    cause: 'recorder-crashed',
  },
  {
    words: /session limit reached/i,
    meaning: "a limit of the egress worker's own was reached (session_limits)",
  },
  {
    words: /connection to room failed|disconnected/i,
    meaning: 'the recorder lost its connection to the room',
  },
  {
    words: /page load|template|chrome/i,
    meaning: "the recorder's browser failed; look at the egress worker's log",
    cause: 'pipeline-failed',
  },
  {
    words: /GStreamer|pipeline|data stream|frozen/i,
    meaning: 'the recorder broke down; its worker may lack disk, memory or CPU',
    cause: 'pipeline-failed',
  },
];

const MAX_LENGTH = 300;
/** More than is ever shown, so that the patterns below never work on a text of any size. */
const MAX_READ = 4_000;

/** In this order: what is longest and most telling goes first, so that no rest of it survives as something else. */
const HIDDEN: readonly (readonly [RegExp, string])[] = [
  [/[\p{Cc}\s]+/gu, ' '],
  [/\beyJ[\w-]+(?:\.[\w-]*){1,2}/g, '[token]'],
  [/\b(?:Bearer|Basic) +[^\s"',;]+/gi, '[token]'],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)\],;]+/gi, '[address]'],
  [
    /\b((?:[\w-]*(?:secret|token|password|passwd|credential|signature|authorization)|(?:api|access)[_ -]?key(?:[_ -]?id)?)s?)["']? ?[=:] ?["']?[^\s"',;&]+/gi,
    '$1=[secret]',
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '[secret]'],
  [/[A-Za-z0-9+=_-]{40,}/g, '[secret]'],
  [/(?<![\w/+])(?=[a-z/+]*[A-Z0-9])[A-Za-z0-9/+]{40}(?![\w/+.-])/g, '[secret]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '[address]'],
  [/\[[0-9a-f:.]*:[0-9a-f:.%\w]*\](?::\d{1,5})?/gi, '[address]'],
  [/(?<![\w:.\]])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%\w+)?(?![\w:])/gi, '[address]'],
  [/\b(lookup) +[\w.-]+/gi, '$1 [address]'],
  [/\b(?!(?:status|code|statuscode|line|exit|error)\b)[a-z0-9][\w-]*(?:\.[\w-]+)*:\d{2,5}\b/gi, '[address]'],
  [/\b(?:[a-z0-9-]+\.){2,}[a-z]{2,}\b(?!\/)/gi, '[address]'],
  [/\b[a-z0-9-]+\.(?:com|net|org|io|cloud|dev|internal|local|localdomain|lan|svc)\b/gi, '[address]'],
  [/(?<![\w.\]/])~?\/[\w.@~+%=-][\w.@~+%=/-]*/g, '[path]'],
  [/\b[a-z]:\\[^\s"',;]+/gi, '[path]'],
];

/** Null: nothing to add to it. */
export function meaningOf(text: string): string | null {
  return found(text)?.meaning ?? null;
}

/** What an error means and what to do, then LiveKit's own words; null where there is none. */
export function toEgressError(text: string): string | null {
  if (text === '') return null;
  const meaning = meaningOf(text);
  const own = sanitizeEgressError(text);
  return meaning === null ? own : `${meaning}: ${own}`;
}

/** Why an egress ends: its own reason, and where that says little, what its error says. */
export function toEndCause(details: string, error: string): EgressEndCause | null {
  const named = /End reason: (.+)/.exec(details.slice(0, MAX_READ))?.[1]?.trim() ?? '';
  const cause = END_CAUSE[named] ?? null;
  const saysLittle = cause === null || cause === 'failure' || cause === 'process-killed';
  return saysLittle ? (found(error)?.cause ?? cause) : cause;
}

/**
 * LiveKit's own words as they may be shown and logged: without addresses, absolute paths, tokens and secrets, on one
 * line, at most 300 characters. The names of objects in the bucket stay, they are ours.
 */
export function sanitizeEgressError(text: string): string {
  const shown = HIDDEN.reduce(
    (rest, [pattern, instead]) => rest.replace(pattern, instead),
    text.slice(0, MAX_READ),
  );
  const line = shown.trim();
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 1)}…`;
}

function found(text: string): Meaning | null {
  const start = text.slice(0, MAX_READ);
  return MEANINGS.find(({ words, and }) => words.test(start) && (and?.test(start) ?? true)) ?? null;
}
