/** Something that has to come first before this process can answer everything; found among the providers of all modules. */
export abstract class ReadinessGate {
  /** Its name in the answer of /health/ready. */
  abstract readonly name: string;
  /** Null when it is open; else, for an operator, what is under way and how far it is. Anyone may read it. */
  abstract waitingFor(): string | null | Promise<string | null>;
}
