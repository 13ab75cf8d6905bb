import { z } from 'zod';
import { parseRecordingId, parseRoomId } from '../../kernel/ids.js';
import { ENCODING_PRESETS, RECORDING_LAYOUTS } from '../../kernel/recording-options.js';
import { metadataKey, parseMetadataKey } from '../../storage/object-keys.js';
import { newRecording } from '../domain/new-recording.js';
import { RECORDING_STATUSES, type StoredRecording } from '../domain/recording.js';
import type { HistoryEntry } from './recording.store.js';

/** The durable record of a recording: with it and the media, the bucket alone is enough to find the recording again. */
export interface ArchivedRecording {
  readonly format: 1;
  readonly recording: StoredRecording;
  readonly history: readonly HistoryEntry[];
}

/** One object under recordings/.metadata/: the record in it, or why there is none. */
export type ReadRecord = { readonly record: ArchivedRecording } | { readonly fault: string };

const count = z.int().positive();

const archived = z.object({
  format: z.literal(1),
  recording: z.looseObject({
    id: z.string(),
    roomId: z.string(),
    roomName: z.string(),
    status: z.enum(RECORDING_STATUSES),
    version: count,
    rev: count,
    layout: z.enum(RECORDING_LAYOUTS),
    preset: z.enum(ENCODING_PRESETS),
    audioOnly: z.boolean(),
    requestedAt: z.number(),
    updatedAt: z.number(),
    labels: z.record(z.string(), z.unknown()),
    upkeep: z.looseObject({ maxDurationMs: count, egresses: z.record(z.string(), z.string()) }),
  }),
  history: z.array(
    z.looseObject({
      version: count,
      at: z.number(),
      position: z.object({ epoch: z.string(), id: z.string() }),
      changes: z.looseObject({}),
    }),
  ),
});

/** What the record says, with defaults for what is younger than it. */
export function readArchived(key: string, body: Buffer): ReadRecord {
  const named = parseMetadataKey(key);
  if (named === null) return { fault: 'its name is not that of a record' };
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return { fault: `it is no JSON: ${String(error)}` };
  }
  const parsed = archived.safeParse(json);
  if (!parsed.success) return { fault: z.prettifyError(parsed.error) };
  const { recording, history } = parsed.data as unknown as ArchivedRecording;
  if (!isItsKey(key, recording))
    return { fault: `it holds the recording ${JSON.stringify(recording.id)} of room ${recording.roomId}` };
  return { record: { format: 1, recording: withDefaults(recording), history } };
}

/** The key says less than the record where a room's name is long, so the record's own is compared with it. */
function isItsKey(key: string, { id, roomId }: { readonly id: string; readonly roomId: string }): boolean {
  const [recording, room] = [parseRecordingId(id), parseRoomId(roomId)];
  return recording !== null && room !== null && key === metadataKey({ id: recording, roomId: room });
}

function withDefaults(recording: StoredRecording): StoredRecording {
  const { id, roomId, roomName, layout, preset, audioOnly, labels, requestedAt, upkeep } = recording;
  const { maxDurationMs } = upkeep;
  const start = { id, roomId, roomName, layout, preset, audioOnly, labels, requestedAt, maxDurationMs };
  const blank = newRecording({ ...start, crashProof: false, startLimitMs: 0 });
  const unknown = { ...blank.upkeep, holdsSlot: false, startSentAt: requestedAt };
  return { ...blank, ...recording, upkeep: { ...unknown, ...upkeep } };
}
