import type { RecordingId } from '../../../src/kernel/ids.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: LiveKit takes a start by the room's name alone, so the session can only be compared once the egress is there. */
const NOTICED_MS = 20_000;
/** Then a room whose recorders die at once is left alone. */
const MOST_IN_A_ROW = 7;

/**
 * I16: no session is recorded that nobody asked for. What goes on from a recording is in the session of that recording, and in a room
 * whose settings want it, and not for ever where every recorder dies at once.
 */
export function onlyWhatWasAskedFor(): Invariant {
  const sessions = new Map<RecordingId, string>();
  const lasting = new Lasting(NOTICED_MS);
  return {
    name: 'I16',
    committed: (world, before, next) => {
      if (before !== null || next.continues === null) return null;
      if (chainLength(world, next.continues) > MOST_IN_A_ROW)
        return `${next.id} is one more of ${MOST_IN_A_ROW} in a row that ended at once`;
      const wanted = world.rooms.rooms.get(next.roomId)?.recordingSettings.restartWhenLost ?? false;
      return wanted ? null : `${next.id} goes on from ${next.continues} in a room that does not want it`;
    },
    second: (world) => {
      const wrong: string[] = [];
      for (const { id, room, recording } of world.runningEgresses()) {
        const session = sessionOf(world, room, id);
        if (recording === null || session === null) continue;
        const from = fromOf(world, sessions, recording);
        if (from === null || from === session) sessions.set(recording, sessions.get(recording) ?? session);
        else wrong.push(`${recording} in session ${session} of ${room}`);
      }
      const found = lasting.longest(world, wrong);
      return found === null ? null : `${found} is recorded, and nobody asked for it`;
    },
  };
}

/** Recordings of the chain that ends with this one. A run is too short for any of them to have lasted. */
function chainLength(world: SimWorld, last: RecordingId): number {
  let length = 0;
  for (let at: RecordingId | null = last; at !== null; at = world.row(at)?.continues ?? null) length += 1;
  return length;
}

/** The session that the egress sits in. */
function sessionOf(world: SimWorld, room: string, egressId: string): string | null {
  const found = world.engine.rooms.find(room);
  return found?.participants.has(egressId) ? found.sid : null;
}

/** The session that the recording it goes on from was in; null: it was begun by a person, or that one never came to be in any. */
function fromOf(
  world: SimWorld,
  sessions: ReadonlyMap<RecordingId, string>,
  recording: RecordingId,
): string | null {
  for (let at = world.row(recording)?.continues ?? null; at !== null; at = world.row(at)?.continues ?? null) {
    const session = sessions.get(at);
    if (session !== undefined) return session;
  }
  return null;
}
