import { Logger } from '@nestjs/common';
import type { Actor } from '../kernel/actor.js';
import type { Clock } from '../kernel/clock.js';
import { ERROR_TABLE, isTallyError, TallyError } from '../kernel/errors.js';
import { parseRoomId } from '../kernel/ids.js';
import type { CreateRoom } from '../rooms/use-cases/create-room.js';

/** The rooms that are open in the simulated LiveKit, and who publishes in them. */
export const FIRST_ROOMS = {
  standup: { name: 'Daily stand-up', publishers: ['ada', 'grace'] },
  'town-hall': { name: 'Town hall', publishers: ['margaret', 'katherine'] },
} as const;

/** Two who are in the room all the time, as far as that is known. */
export function namesIn(roomName: string): readonly [string, string] {
  const room = Object.entries(FIRST_ROOMS).find(([name]) => name === roomName);
  return room?.[1].publishers ?? ['guest', 'host'];
}

const EMBEDDED: Actor = {
  name: 'embedded',
  callerId: 'embedded',
  role: 'ADMIN',
  rooms: null,
  mayDelete: true,
};
const WAIT_MS = 60_000;
const TRY_AGAIN_MS = 200;

/** Makes the open rooms known, so that a newcomer can start a recording at once; what is known stays as it is. */
export async function makeFirstRoomsKnown(createRoom: CreateRoom, clock: Clock): Promise<void> {
  const until = clock.now() + WAIT_MS;
  for (const [id, { name }] of Object.entries(FIRST_ROOMS)) {
    for (;;) {
      const refusal = await create(createRoom, id, name);
      if (refusal === null) break;
      if (!ERROR_TABLE[refusal.code].retry || clock.now() > until) {
        new Logger('Embedded').warn({
          message: 'a first room could not be made',
          roomId: id,
          cause: refusal.message,
        });
        break;
      }
      await clock.sleep(TRY_AGAIN_MS);
    }
  }
}

async function create(createRoom: CreateRoom, id: string, name: string): Promise<TallyError | null> {
  try {
    await createRoom.execute({ actor: EMBEDDED, id: parseRoomId(id), name, recordingSettings: {} });
    return null;
  } catch (error) {
    if (isTallyError(error, 'ROOM_ALREADY_EXISTS')) return null;
    if (isTallyError(error)) return error;
    throw error;
  }
}
