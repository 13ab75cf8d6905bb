import { Logger } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { SystemClock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import type { RoomStore } from '../store/room.store.js';
import type { RoomSaver } from './room-saver.js';
import { UnsavedRoomsRunner } from './unsaved-rooms.runner.js';

describe('rooms that can not be saved', () => {
  it('are told of once each, with what was said, and again when they could be saved in between', async () => {
    const told: unknown[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => void told.push(line));
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    let isAway = true;
    const store = { unsaved: async () => [{ id: 'a' as RoomId, rev: '1' }] };
    const saver = {
      save: async () => {
        if (isAway) throw new TallyError('STORAGE_UNAVAILABLE', 'the bucket b at s3.example does not answer');
      },
    };
    const runner = new UnsavedRoomsRunner(
      store as unknown as RoomStore,
      saver as unknown as RoomSaver,
      new SystemClock(),
      { role: 'worker' } as Config,
    );
    for (let i = 0; i < 3; i += 1) expect(await runner.saveAbandoned()).toBe(0);
    const one = { event: 'room_not_saved', roomId: 'a', cause: 'the bucket b at s3.example does not answer' };
    expect(told).toEqual([expect.objectContaining(one)]);
    isAway = false;
    expect(await runner.saveAbandoned()).toBe(1);
    isAway = true;
    await runner.saveAbandoned();
    expect(told).toHaveLength(2);
    warn.mockRestore();
    log.mockRestore();
  });
});
