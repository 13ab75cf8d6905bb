interface QueueDefinition {
  /** How many of its jobs one process runs at a time. */
  readonly concurrency: number;
  /** What a person reads above it. */
  readonly about: string;
}

/**
 * One queue for each thing that work may have to wait for, so that nothing stands behind work that waits for something else.
 * The names are there for ever: jobs in Redis are found by them.
 */
export const QUEUES = {
  recordings: {
    // A dead worker's silence takes seconds, and a message bus that is unavailable silences all of them.
    concurrency: 96,
    about:
      'Looks at all that is known of a recording, asks whether its egress worker is alive, and brings it up to date',
  },
  inbox: { concurrency: 32, about: 'What LiveKit told by webhook, kept until it has been applied' },
  egresses: {
    concurrency: 32,
    about: 'What LiveKit is told to end: egresses that should not run, recorders that were left behind',
  },
  records: {
    concurrency: 16,
    about: 'Writes the records of recordings and rooms into the storage, and removes those of deleted ones',
  },
  signals: {
    // The packet to a room that is gone takes LiveKit seconds.
    concurrency: 64,
    about: 'Tells the room of each change of its recording',
  },
  deletions: {
    concurrency: 2,
    about: 'Deletions of media and records, one or many, carried on until they are done',
  },
  recoveries: {
    // Each reads all segments of a recording and writes as much: the disk and a core are busy with one.
    concurrency: 1,
    about: 'Puts recordings together from their segments whose file was lost',
  },
  sweeps: { concurrency: 3, about: 'Regular looks for what was left behind' },
  // Where versions before 1.1 leave work: it is still run, whatever it is, and nothing is added to them any more.
  recorders: { concurrency: 16, about: 'An older version asked after egress workers here' },
  timers: { concurrency: 16, about: 'An older version kept its deadlines here' },
  effects: {
    concurrency: 16,
    about: 'An older version ordered here what follows from a change of a recording',
  },
} as const satisfies Record<string, QueueDefinition>;

export type QueueName = keyof typeof QUEUES;

const EARLIER: ReadonlySet<QueueName> = new Set(['recorders', 'timers', 'effects']);

/** Nothing is added to it any more. */
export function isEarlier(queue: QueueName): boolean {
  return EARLIER.has(queue);
}

export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[];
