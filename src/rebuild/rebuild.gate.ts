import { Injectable } from '@nestjs/common';
import { ReadinessGate } from '../kernel/readiness-gate.js';
import { RebuildLedger } from './rebuild-ledger.port.js';
import { rebuildWords } from './rebuild-words.js';

/** Ready only while Redis is whole. */
@Injectable()
export class RebuildGate extends ReadinessGate {
  readonly name = 'rebuild';

  constructor(private readonly ledger: RebuildLedger) {
    super();
  }

  async waitingFor(): Promise<string | null> {
    return rebuildWords(await this.ledger.state());
  }
}
