import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { StoredRecording } from '../domain/recording.js';
import { parseHistory } from './history.js';
import type { HistoryEntry } from './recording.store.js';

/**
 * What a row in Redis is made of, one string each, so that a page is one MGET; see docs/decisions/072.
 *
 *     2 <rev> <token> <created> <position> <document>   each '-' where there is none
 *     <status> <instant of the request> <room>           what a search reads, with a word in each line that follows
 *                                                        an empty line
 *     <document> <piece of history>...
 *
 * The scripts read and write what is text and pass the rest on as it is (recording-row.inc.lua). `<document>` in the first line is
 * how it is written and its length: `d230` is deflated JSON, `D1023` JSON. A piece begins with a line of its own, `h<position>
 * <length>`, and is a deflated JSON array of entries, of which one without a position of its own has the piece's, in the event
 * log of now; `H- <length>` are the lines that an earlier version wrote.
 */
const LEVEL = { level: 9, windowBits: 13, memLevel: 5 } as const;
/** Nothing that we write comes near. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * What documents and entries have in common: it is left out of each. What was written with it is read with it alone: one
 * that differs needs another letter than `d` and `h`.
 */
const COMMON = Buffer.from(
  [
    '"deletion":{"requestedAt":1795783603930,"by":"key:admin"}"key":{"caller":"key:","key":"","input":""},',
    '"returned":{"number":1,"rev":,"copyAt":17957}"recovery":null,"continuation":null,"workerLimit":true,"absence":{"looks":1,',
    '"firstAt":"lastAt":"position":{"epoch":"","id":"1795783603930-0"},sweep:stalesweep:storagerebuildtimeoutcontinuationlivekit',
    '"EGRESS_FAILED""ROOM_ENDED""RECORDER_LOST""RECORDER_LEFT""START_TIMEOUT""START_REJECTED""START_CANCELLED""STALE"',
    '"LIMIT_REACHED""ABORTED""FAILED""SPEAKER""SINGLE_SPEAKER""H264_1080P_30""code":"RECORDING_START_FAILED","message":"',
    '[{"type":"DELETED","previousStatus":"COMPLETE","version":6,"at":17957,"cause":"key:admin","changes":{}}]',
    '[{"type":"UPDATED","previousStatus":null,"version":2,"at":1795783603972,"cause":"livekit","changes":{"egressId":"EG_","roomSid":"RM_"}}]',
    '[{"type":"STATUS_CHANGED","previousStatus":"STARTING","version":3,"at":1795783603978,"cause":"livekit",',
    '"changes":{"status":"ACTIVE","filename":"rec_01M.mp4","startedAt":1795783603966}}]',
    '[{"type":"STATUS_CHANGED","previousStatus":"ACTIVE","version":4,"at":1795783604078,"cause":"key:admin",',
    '"changes":{"status":"ENDING","endReason":"STOP_REQUESTED"}}]',
    '[{"type":"STATUS_CHANGED","previousStatus":"ENDING","version":5,"at":1795783604099,"cause":"livekit",',
    '"changes":{"status":"COMPLETE","sizeBytes":,"durationMs":,"endedAt":1795783604076,"hasMedia":true}}]',
    '[{"type":"REQUESTED","previousStatus":null,"version":1,"at":1795783603930,"cause":"key:admin",',
    '"changes":{"status":"STARTING","recovered":false,"hasMedia":false}}]',
    '{"id":"rec_01M","roomId":"room-","roomName":"","layout":"GRID","preset":"H264_720P_30","audioOnly":false,"crashProof":false,',
    '"labels":{},"requestedAt":1795783603930,"status":"COMPLETE","version":5,"egressId":"EG_","filename":"rec_01M.mp4",',
    '"sizeBytes":64,"durationMs":10,"startedAt":1795783603966,"endedAt":1795783604076,"updatedAt":1795783604099,',
    '"endReason":"STOP_REQUESTED","error":null,"continues":null,"continuedBy":null,"roomSid":"RM_","recovered":false,',
    '"hasMedia":true,"rev":8,"upkeep":{"maxDurationMs":21600000,"startSentAt":1795783603937,"startSentBy":"',
    '","startPendingUntil":1795783603973,"startAnswer":"accepted","startResult":"ACTIVE","egresses":{"EG_":"over"},',
    '"holdsSlot":false,"listedAt":null,"stopRequestedAt":1795783604071,"absence":null,"bucketChecked":false,"deletion":null,',
    '"deleted":false,"activeSince":1795783603966}}',
  ].join(''),
);

/** A recording as a row has it; its history is unpacked for whoever asks. */
export interface StoredRow {
  readonly recording: StoredRecording;
  /** `epoch`: of the event log at the moment at which the row was read. */
  history(epoch: string): HistoryEntry[];
}

/** For the scripts: the document, and how it is written. */
export function packDocument(recording: StoredRecording): Buffer {
  return packed(recording);
}

/** An entry without a position is one whose position the script will know. */
type Packable = Omit<HistoryEntry, 'position'> & Partial<HistoryEntry>;

/** One piece of the recording's history, for the scripts; of no entries, nothing. */
export function packHistory(entries: readonly Packable[], recording: StoredRecording): Buffer {
  if (entries.length === 0) return Buffer.alloc(0);
  return packed(entries.map((entry) => withoutRepetition(entry, recording)));
}

/** Throws for what is no row. */
export function readRow(row: Buffer): StoredRow {
  const { documentAt, document } = headOf(row);
  const kind = document.slice(0, 1);
  const historyAt = documentAt + Number(document.slice(1));
  const text = row.subarray(documentAt, historyAt);
  const recording = (kind === 'd' ? unpacked(text) : JSON.parse(text.toString('utf8'))) as StoredRecording;
  return { recording, history: (epoch) => historyOf(row.subarray(historyAt), recording, epoch) };
}

function headOf(row: Buffer): { readonly documentAt: number; readonly document: string } {
  const lineEnd = row.indexOf('\n');
  const documentAt = row.indexOf('\n\n', lineEnd) + 2;
  const [format, , , , , document = ''] = row.toString('latin1', 0, lineEnd).split(' ');
  if (format !== '2' || documentAt < 2 || !/^[dD]\d+$/.test(document))
    throw new Error(`a row in Redis is of a format that this version does not read: ${String(format)}`);
  return { documentAt, document };
}

function historyOf(pieces: Buffer, recording: StoredRecording, epoch: string): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (let at = 0; at < pieces.length;) {
    const lineEnd = pieces.indexOf('\n', at);
    const [head = '', length] = pieces.toString('latin1', at, lineEnd).split(' ');
    const from = lineEnd + 1;
    at = from + Number(length);
    const piece = pieces.subarray(from, at);
    const position = { epoch, id: head.slice(1) };
    if (head.startsWith('H')) entries.push(...parseHistory(piece.toString('utf8')));
    else
      for (const entry of unpacked(piece) as HistoryEntry[])
        entries.push({ ...withRepetition(entry, recording), position: entry.position ?? position });
  }
  return entries;
}

/** What never changes: what a recording's first entry says of it, its document says as well. */
const UNCHANGING = [
  ...(['id', 'roomId', 'roomName', 'layout', 'preset', 'audioOnly', 'requestedAt', 'labels'] as const),
  'crashProof',
] as const satisfies readonly (keyof StoredRecording)[];

function withoutRepetition(entry: Packable, recording: StoredRecording): Packable {
  if (entry.type !== 'REQUESTED') return entry;
  const told = Object.entries(entry.changes);
  const changes = told.filter(([field, value]) => !isRepeated(field, value, recording));
  return { ...entry, changes: Object.fromEntries(changes) };
}

function isRepeated(field: string, value: unknown, recording: StoredRecording): boolean {
  const unchanging = UNCHANGING.find((name) => name === field);
  return unchanging !== undefined && JSON.stringify(value) === JSON.stringify(recording[unchanging]);
}

function withRepetition(entry: HistoryEntry, recording: StoredRecording): HistoryEntry {
  if (entry.type !== 'REQUESTED') return entry;
  const repeated = UNCHANGING.filter((field) => recording[field] !== undefined);
  const changes = Object.fromEntries(repeated.map((field) => [field, recording[field]]));
  return { ...entry, changes: { ...changes, ...entry.changes } };
}

function packed(value: unknown): Buffer {
  return deflateRawSync(Buffer.from(JSON.stringify(value)), { ...LEVEL, dictionary: COMMON });
}

function unpacked(bytes: Buffer): unknown {
  const json = inflateRawSync(bytes, {
    dictionary: COMMON,
    chunkSize: 4_096,
    maxOutputLength: MOST_BYTES,
  });
  return JSON.parse(json.toString('utf8'));
}
