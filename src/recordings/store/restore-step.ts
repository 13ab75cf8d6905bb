import { restoredRecording, effectsOfRestore } from '../domain/restored-recording.js';
import type { ArchivedRecording } from './archived-recording.js';
import type { Return } from './recording-restorer.port.js';
import type { HistoryEntry } from './recording.store.js';

export interface RestoreTerms {
  /** Of this return, from RestoreGeneration. */
  readonly number: number;
  /** The event log that follows; the return stands before its first event. */
  readonly epoch: string;
  readonly at: number;
  readonly cause: string;
}

/** What a record of the bucket brings back. Its history goes on with the return itself, which clients see by its version. */
export function restoreStep(record: ArchivedRecording, terms: RestoreTerms): Return {
  const { number, epoch, at, cause } = terms;
  const recording = restoredRecording(record.recording, number, at);
  const entry: HistoryEntry = {
    position: { epoch, id: `0-${number}` },
    version: recording.version,
    type: 'UPDATED',
    previousStatus: null,
    at: recording.updatedAt,
    cause,
    changes: {},
  };
  return {
    recording,
    // It was read after the row, which may have gone on in between.
    history: [...record.history.filter(({ version }) => version <= record.recording.version), entry],
    effects: effectsOfRestore(recording, at),
  };
}
