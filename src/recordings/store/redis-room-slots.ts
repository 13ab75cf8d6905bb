import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import type { StoredRecording } from '../domain/recording.js';
import { type HeldSlot, RoomSlots } from './room-slots.port.js';

const freeSlot = new Script(join(__dirname, 'free-slot.lua'));
const takeSlot = new Script(join(__dirname, 'take-slot.lua'));

@Injectable()
export class RedisRoomSlots extends RoomSlots {
  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async *heldLongerThan(ms: number): AsyncIterable<HeldSlot> {
    const until = this.clock.now() - ms;
    // As many as there are recordings in progress: names alone, what they hold is read one by one.
    const rooms = await this.connections.run((redis) => redis.zrange(keys.slots(), '-inf', until, 'BYSCORE'));
    for (const room of rooms as RoomId[]) {
      const [recordingId, since] = await this.connections.run((redis) =>
        redis.hmget(keys.slot(room), 'recording', 'since'),
      );
      if (typeof recordingId === 'string' && Number(since) <= until)
        yield { roomId: room, recordingId: recordingId as RecordingId, since: Number(since) };
    }
  }

  async free({ roomId, recordingId }: HeldSlot, rev: number | null): Promise<boolean> {
    const answer = await freeSlot.run(
      this.connections.command,
      [keys.slot(roomId), keys.slots(), keys.recording(recordingId), keys.epoch()],
      [roomId, recordingId, rev ?? ''],
    );
    if (answer === -1) throw redisWasReset();
    return answer === 1;
  }

  async take({ id, roomId, rev }: Pick<StoredRecording, 'id' | 'roomId' | 'rev'>): Promise<boolean> {
    const answer = await takeSlot.run(
      this.connections.command,
      [keys.slot(roomId), keys.slots(), keys.recording(id), keys.epoch()],
      [roomId, id, rev, this.clock.now()],
    );
    if (answer === -1) throw redisWasReset();
    return answer === 1;
  }
}
