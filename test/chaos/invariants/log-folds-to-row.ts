import { visiblePart } from '../../../src/recordings/domain/recording.js';
import { foldHistory } from '../../../src/recordings/store/history.js';
import type { LoggedEvent } from '../../../src/recordings/events/event-log.port.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, isSame } from './invariant.js';

/** I7: the event log of each recording has every version once and in order, and it and the history fold to the row. */
export function logFoldsToRow(): Invariant {
  return {
    name: 'I7',
    committed: (_world, before, next) => {
      const step = next.version - (before?.version ?? 0);
      if (step !== 0 && step !== 1)
        return `${next.id} went from v${before?.version ?? 0} to v${next.version}`;
      return null;
    },
    end: (world) => gaps(world) ?? folds(world),
  };
}

function byRecording(world: SimWorld): Map<string, LoggedEvent[]> {
  const found = new Map<string, LoggedEvent[]>();
  for (const event of world.recordings.events.values()) {
    const { id } = event.recording;
    found.set(id, [...(found.get(id) ?? []), event]);
  }
  return found;
}

function gaps(world: SimWorld): string | null {
  for (const [id, events] of byRecording(world)) {
    const back = world.restored.get(id);
    let last = 0;
    for (const { recording } of events) {
      const { version } = recording;
      // It leaps where the recording came back from the bucket; that itself may have been before this log.
      const leaps = back !== undefined && (back.has(version) || (last === 0 && back.has(version - 1)));
      if (version !== last + 1 && !leaps) return `the log of ${id} has a gap before v${version}`;
      last = version;
    }
  }
  return null;
}

function folds(world: SimWorld): string | null {
  const events = byRecording(world);
  for (const { doc, history } of world.recordings.rows.values()) {
    const last = events.get(doc.id)?.at(-1)?.recording;
    if (last && !isSame(last, visiblePart(doc))) return `the log of ${doc.id} does not end in its row`;
    const folded = foldHistory(history).at(-1)?.recording;
    if (!folded || !isSame(folded, visiblePart(doc)))
      return `the history of ${doc.id} does not fold to its row`;
  }
  return null;
}
