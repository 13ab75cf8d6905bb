import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../kernel/clock.js';

/** So many are told one by one; of what comes faster only the number. */
const TOLD_EVERY_MS = 1_000;

/** Tells the audit log of credentials that were refused, so that a flood of them costs nothing and hides nothing else. */
@Injectable()
export class SignInFailures {
  private toldAt = -Infinity;
  private untold = 0;

  constructor(
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** `subject`: what came, in no more characters than tell it from others. Not waited for. */
  tell(subject: string, reason: string): void {
    const now = this.clock.now();
    if (now - this.toldAt < TOLD_EVERY_MS) {
      this.untold += 1;
      return;
    }
    const further = this.untold;
    [this.toldAt, this.untold] = [now, 0];
    const detail = { reason, ...(further > 0 && { furtherSinceTheLast: further }) };
    void this.audit.add({ actor: 'unknown', action: 'sign_in.failed', subject, detail });
  }
}
