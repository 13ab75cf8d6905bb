import { aRecording } from '../../../test/support/builders.js';
import { VirtualClock } from '../../../test/support/virtual-clock.js';
import type { JobQueue } from '../../queue/define-job.js';
import type { LocalJobs } from '../../queue/local-jobs.js';
import type { OutboxEntry, RecordingStore } from '../store/recording.store.js';
import { QueueEffects } from './queue-effects.js';

describe('the outbox', () => {
  const filed = (kind: string, n = 0): OutboxEntry => ({
    entry: `${kind} ${n}`,
    recording: aRecording(),
    effect: { do: kind } as unknown as OutboxEntry['effect'],
  });
  let outbox: OutboxEntry[];
  let added: string[];
  let failing: string | null;
  let clock: VirtualClock;
  let effects: QueueEffects;

  beforeEach(() => {
    added = [];
    failing = null;
    const jobs = {
      add: async ({ name }: { name: string }) => {
        if (name === failing) throw new Error('the queue is full');
        added.push(name);
      },
    };
    const store = {
      outbox: async (_ms: number, limit: number, skip = 0) => outbox.slice(skip, skip + limit),
      ack: async (entries: readonly string[]) => {
        outbox = outbox.filter(({ entry }) => !entries.includes(entry));
      },
    };
    const local = { run: jobs.add };
    clock = new VirtualClock();
    effects = new QueueEffects(
      jobs as unknown as JobQueue,
      local as unknown as LocalJobs,
      store as unknown as RecordingStore,
      clock,
    );
  });

  it('keeps what this version does not know for an instance that does', async () => {
    outbox = [filed('of-the-future'), filed('write-metadata')];
    await effects.dispatchLeftBehind();
    await clock.advance(100);
    expect(added).toEqual(['write-metadata']);
    expect(outbox.map(({ entry }) => entry)).toEqual(['of-the-future 0']);
  });

  it('reaches what stands after any number of those', async () => {
    outbox = [...Array.from({ length: 450 }, (_, i) => filed('of-the-future', i)), filed('write-metadata')];
    await effects.dispatchLeftBehind();
    await clock.advance(100);
    expect(added).toEqual(['write-metadata']);
    expect(outbox).toHaveLength(450);
  });

  it('makes one record of what changes in a burst while a recording is in progress, and one of each end at once', async () => {
    const { id } = aRecording();
    const change = (version: number, status: 'STARTING' | 'ACTIVE' | 'COMPLETE'): OutboxEntry => ({
      ...filed('write-metadata', version),
      recording: aRecording({ id, version, status }),
    });
    outbox = [change(1, 'STARTING'), change(2, 'STARTING'), change(3, 'ACTIVE')];
    await effects.dispatch(outbox);
    expect(added).toEqual(['write-metadata']);
    await clock.advance(600);
    expect(added).toEqual(['write-metadata', 'write-metadata']);
    outbox = [change(4, 'ACTIVE'), change(5, 'COMPLETE')];
    await effects.dispatch(outbox);
    await clock.advance(0);
    expect(added).toHaveLength(3);
    await clock.advance(600);
    expect(added).toHaveLength(3);
    expect(outbox).toEqual([]);
  });

  it('keeps only what the queue did not take', async () => {
    failing = 'write-metadata';
    outbox = [filed('write-metadata'), filed('check-recorder')];
    await effects.dispatchLeftBehind();
    await clock.advance(100);
    expect(added).toEqual(['reconcile-recording']);
    expect(outbox.map(({ entry }) => entry)).toEqual(['write-metadata 0']);
  });
});
