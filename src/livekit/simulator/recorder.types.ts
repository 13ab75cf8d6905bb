import type { EgressInfo, EgressStatus } from '@livekit/protocol';
import type { Chance } from './chance.js';
import type { EgressFault, EndReason } from './egress-record.js';
import type { FaultBook } from './faults.js';
import type { RoomBook } from './room-book.js';
import type { MakeSegment } from './segment-media.js';
import type { Scheduler } from './scheduler.js';
import type { SimulatorTimings } from './timings.js';
import type { Uploader } from './uploader.js';

export interface RecorderSurroundings {
  readonly scheduler: Scheduler;
  readonly timings: SimulatorTimings;
  readonly chance: Chance;
  readonly rooms: RoomBook;
  readonly faults: FaultBook;
  readonly uploader: Uploader;
  readonly makeSegment: MakeSegment;
}

/** The service that a recording child belongs to, the only one it talks to. */
export interface RecordingService {
  report(info: EgressInfo): void;
  /** The child's process has ended. */
  childGone(egressId: string): void;
}

/** How a recording ends with its media, and what its last report then says. */
export interface Ending {
  readonly status: EgressStatus;
  readonly reason: EndReason;
  readonly fault: EgressFault | null;
  /** Of the last report; null: when the upload is over. */
  readonly endedAt: bigint | null;
}
