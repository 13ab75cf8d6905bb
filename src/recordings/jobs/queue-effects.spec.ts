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
    effects = new QueueEffects(
      jobs as unknown as JobQueue,
      local as unknown as LocalJobs,
      store as unknown as RecordingStore,
      new VirtualClock(),
    );
  });

  it('keeps what this version does not know for an instance that does', async () => {
    outbox = [filed('of-the-future'), filed('write-metadata')];
    await effects.dispatchLeftBehind();
    expect(added).toEqual(['write-metadata']);
    expect(outbox.map(({ entry }) => entry)).toEqual(['of-the-future 0']);
  });

  it('reaches what stands after any number of those', async () => {
    outbox = [...Array.from({ length: 450 }, (_, i) => filed('of-the-future', i)), filed('write-metadata')];
    await effects.dispatchLeftBehind();
    expect(added).toEqual(['write-metadata']);
    expect(outbox).toHaveLength(450);
  });

  it('keeps only what the queue did not take', async () => {
    failing = 'write-metadata';
    outbox = [filed('write-metadata'), filed('check-recorder')];
    await effects.dispatchLeftBehind();
    expect(added).toEqual(['reconcile-recording']);
    expect(outbox.map(({ entry }) => entry)).toEqual(['write-metadata 0']);
  });
});
