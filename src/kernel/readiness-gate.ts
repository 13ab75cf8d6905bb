/** Something that comes first before all is as it should be; found among the providers of all modules. */
export abstract class ReadinessGate {
  /** Its name in the answer of /health/ready. */
  abstract readonly name: string;
  /** Whether this process is not ready while it is shut, or only degraded. */
  readonly decides: boolean = true;
  /** Null when it is open; else, for an operator, what is under way and how far it is. Anyone may read it. */
  abstract waitingFor(): string | null | Promise<string | null>;
}
