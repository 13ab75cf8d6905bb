import {
  type KindAvailability,
  WorkerAvailability,
} from '../../src/recordings/recorders/worker-availability.port.js';

/** Nobody has asked whether workers are there: no start is refused for it. */
export class UnknownWorkers extends WorkerAvailability {
  async read(): Promise<KindAvailability[]> {
    return [];
  }

  async note(): Promise<void> {}

  async isAbsent(): Promise<boolean> {
    return false;
  }
}
