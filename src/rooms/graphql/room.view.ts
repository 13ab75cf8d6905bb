import { encodeCursor } from '../../kernel/cursor.js';
import type { RoomId } from '../../kernel/ids.js';
import type { LiveRoomSeen } from '../../livekit/livekit.types.js';
import type { Room, RoomRecordingSettings } from '../domain/room.js';
import type { ListedRoomPage } from '../use-cases/find-rooms.js';
import type { ListedRoom } from '../use-cases/open-rooms.js';

/** Room as the schema shows it, without the fields that are resolved on demand; instants in ms. */
export interface RoomView {
  readonly id: RoomId;
  readonly name: string;
  readonly recordingSettings: RoomRecordingSettings;
  readonly known: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface RoomConnectionView {
  readonly edges: readonly { readonly cursor: string; readonly node: RoomView }[];
  readonly nodes: readonly RoomView[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
}

export interface LiveRoomView {
  readonly sid: string;
  readonly numParticipants: number;
  readonly numPublishers: number;
  readonly createdAt: number;
}

/** A room that does not say otherwise is known. */
export function toRoomView(room: Room & Partial<ListedRoom>): RoomView {
  const { id, name, recordingSettings, known = true, createdAt, updatedAt } = room;
  return { id, name, recordingSettings, known, createdAt, updatedAt };
}

export function toRoomConnectionView(page: ListedRoomPage): RoomConnectionView {
  const edges = page.rooms.map((room) => ({
    cursor: encodeCursor('rooms', [room.id]),
    node: toRoomView(room),
  }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: page.totalCount,
  };
}

export function toLiveRoomView(room: LiveRoomSeen | null): LiveRoomView | null {
  if (room === null) return null;
  const { sid, numParticipants, numPublishers, createdAtMs } = room;
  return { sid, numParticipants, numPublishers, createdAt: createdAtMs };
}
