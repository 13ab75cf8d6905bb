import { digest } from '../kernel/digest.js';
import type { BulkDeletionId, RecordingId, RoomId } from '../kernel/ids.js';

/**
 * Every key name of the product, under one hash tag: what one commit writes has to share a slot,
 * so one node of a cluster has them all.
 */
export const TAG = '{tl}';

/** What `CLUSTER KEYSLOT {tl}` answers. */
export const SLOT = 10679;

export const keys = {
  recording: (id: RecordingId) => `${TAG}:recording:${id}`,
  slot: (room: RoomId) => `${TAG}:slot:${room}`,
  slots: () => `${TAG}:slots`,
  /** `scope` is `all` or a room; `what` a status with a sort field or a label. */
  index: (scope: string, what: string) => `${TAG}:index:${scope}:${what}`,
  /** Words that recordings are found by, with the ids of those that have them or of the first in a chunk of them. */
  words: () => `${TAG}:index:postings`,
  /** The ids in each chunk, and how many have each word. */
  postings: () => `${TAG}:index:postings:ids`,
  /** Of an earlier version: every word with the id of each recording that has it. */
  earlierWords: () => `${TAG}:index:words`,
  unsettled: () => `${TAG}:unsettled`,
  events: () => `${TAG}:events`,
  eventsFloor: () => `${TAG}:events-floor`,
  epoch: () => `${TAG}:epoch`,
  outbox: () => `${TAG}:outbox`,
  /** How far the rebuild is that is under way. */
  rebuild: () => `${TAG}:rebuild`,
  idempotency: (caller: string, key: string) => `${TAG}:idempotency:${digest(`${caller}\n${key}`)}`,
  room: (id: RoomId) => `${TAG}:room:${id}`,
  rooms: () => `${TAG}:rooms`,
  roomNames: () => `${TAG}:room-names`,
  roomChanges: () => `${TAG}:room-changes`,
  /** Rooms that were deleted not long ago, by the instant of it. */
  deletedRooms: () => `${TAG}:deleted-rooms`,
  unsavedRooms: () => `${TAG}:unsaved-rooms`,
  /** When each egress' worker answered last. */
  heard: () => `${TAG}:heard`,
  /** When each egress' recorder was seen in its room, left it, or became worth a question. */
  recorderNotes: (what: 'seen' | 'left' | 'nudged') => `${TAG}:recorder-${what}`,
  /** Egresses whose worker is proven dead, by the instant of the proof. */
  deadEgresses: () => `${TAG}:dead-egresses`,
  /** Rooms that should be recorded and are not: since when, and up to when that was counted. */
  unrecorded: () => `${TAG}:unrecorded`,
  silence: (egressId: string) => `${TAG}:silence:${egressId}`,
  /** What was last seen of its segments in the bucket. */
  mediaProgress: (egressId: string) => `${TAG}:media-progress:${egressId}`,
  /** Recordings that were deleted not long ago, by the instant of it. */
  deleted: () => `${TAG}:deleted`,
  /** `part` is empty for the row itself. */
  bulkDeletion: (id: BulkDeletionId, part: '' | 'pending' | 'work' | 'deleted' | 'failed' | 'unseen' = '') =>
    `${TAG}:bulk-deletion:${id}${part && `:${part}`}`,
  unfinishedBulkDeletions: () => `${TAG}:bulk-deletions:unfinished`,
  /** Of one caller, by the instant at which each began or ended. */
  bulkDeletionsOf: (caller: string, what: 'under-way' | 'dry-under-way' | 'finished') =>
    `${TAG}:bulk-deletions:${what}:${digest(caller)}`,
  /** Documents that the bucket has as well, by id: keys, links, endpoints. */
  kept: (collection: string) => `${TAG}:kept:${collection}`,
  /** The id of the document that each hash finds. */
  keptHandles: (collection: string) => `${TAG}:kept:${collection}:handles`,
  keptUnsaved: () => `${TAG}:kept:unsaved`,
  /** When each API key was used last. */
  apiKeysUsed: () => `${TAG}:api-keys-used`,
  /** Who did what, newest last. */
  audit: () => `${TAG}:audit`,
  incidents: () => `${TAG}:incidents`,
  /** The id of the incident that is open, by kind and subject. */
  openIncidents: () => `${TAG}:incidents:open`,
  incidentsByAge: () => `${TAG}:incidents:by-age`,
  /** Openings and closings, for who is told of them. */
  incidentNews: () => `${TAG}:incidents:news`,
  /** When LiveKit's last webhook came. */
  livekitHeard: () => `${TAG}:livekit-heard`,
  /** Since when LiveKit's egresses have changed without a webhook that told of it. */
  livekitUnheard: () => `${TAG}:livekit-unheard`,
  /** Whether an egress worker answered when one was last asked, by kind. */
  workersAsked: () => `${TAG}:workers-asked`,
  unexplained: () => `${TAG}:unexplained`,
  /** `part` of what is delivered to webhook endpoints: `delivery:<id>`, `lane:<endpoint>:<lane>`, `due:<endpoint>`, ... */
  webhooks: (part: string) => `${TAG}:webhooks:${part}`,
  /** Up to where the event log and the incidents have become deliveries. */
  webhookPlaces: () => `${TAG}:webhooks:places`,
  sweepRun: (id: string) => `${TAG}:sweep-run:${id}`,
  lastSweeps: () => `${TAG}:last-sweeps`,
  sweepCandidates: (name: string) => `${TAG}:sweep-sights:${name}`,
  breaker: (name: string) => `${TAG}:breaker:${name}`,
  /** The processes of this deployment, `worker <instance>` or `api <instance>`, by the instant of their last sign of life. */
  /** Named by who looks whether Redis takes writes, and never there. */
  doctor: (token: string) => `${TAG}:doctor:${token}`,
  processes: () => `${TAG}:processes`,
  lease: (name: string) => `${TAG}:lease:${name}`,
  leases: () => `${TAG}:leases`,
} as const;

/** BullMQ adds `:<queue>:…` itself. */
export const QUEUE_PREFIX = `${TAG}:queue`;

/** Wakes who follows a bulk deletion; what is said is its id. */
export const BULK_DELETIONS_CHANNEL = 'tl:bulk-deletions';

/** Wakes listeners of the event log; the log itself is the stream. */
export const EVENTS_CHANNEL = 'tl:events';
