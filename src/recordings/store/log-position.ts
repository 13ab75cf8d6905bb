/** A place in the event log; `epoch` names the log, which a Redis that was lost begins anew. */
export interface LogPosition {
  readonly epoch: string;
  readonly id: string;
}
