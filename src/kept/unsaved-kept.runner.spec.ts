import { Logger } from '@nestjs/common';
import { SystemClock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import type { KeptStore } from './kept.store.js';
import type { KeptWriter } from './kept.writer.js';
import { UnsavedKeptRunner } from './unsaved-kept.runner.js';

describe('keys, links and endpoints that can not be saved', () => {
  it('are told of once each, with what was said, and again when they could be saved in between', async () => {
    const told: unknown[] = [];
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line) => void told.push(line));
    let isAway = true;
    const store = { unsaved: async () => [{ collection: 'api-keys', id: 'key_1', name: 'a' }] };
    const writer = {
      save: async () => {
        if (isAway) throw new TallyError('STORAGE_UNAVAILABLE', 'the storage does not answer');
      },
    };
    const runner = new UnsavedKeptRunner(
      store as unknown as KeptStore,
      writer as unknown as KeptWriter,
      new SystemClock(),
    );
    for (let i = 0; i < 3; i += 1) await runner.saveAbandoned();
    const one = { event: 'access_still_unsaved', id: 'key_1', cause: 'the storage does not answer' };
    expect(told).toEqual([expect.objectContaining(one)]);
    isAway = false;
    await runner.saveAbandoned();
    isAway = true;
    await runner.saveAbandoned();
    expect(told).toHaveLength(2);
    warn.mockRestore();
  });
});
