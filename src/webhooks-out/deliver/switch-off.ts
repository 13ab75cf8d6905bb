import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.js';
import { Incidents } from '../../incidents/incidents.port.js';
import { KeptWriter } from '../../kept/kept.writer.js';
import { ENDPOINTS, type WebhookEndpoint } from '../domain/endpoint.js';

/** Switches off an endpoint that takes nothing, and tells of it. What waits for it goes on waiting. */
@Injectable()
export class SwitchOff {
  constructor(
    private readonly writer: KeptWriter,
    private readonly incidents: Incidents,
    private readonly audit: AuditLog,
  ) {}

  async execute({ id }: WebhookEndpoint, disabledReason: string): Promise<void> {
    const told = {
      actor: 'tallylight',
      action: 'webhook.disabled',
      subject: id,
      detail: { disabledReason },
    } as const;
    const off = await this.writer.update<WebhookEndpoint>(
      ENDPOINTS,
      id,
      ({ doc }) => (doc.enabled ? { doc: { ...doc, enabled: false, disabledReason }, handles: [] } : null),
      { durable: 'soon', also: () => [this.audit.addition(told)] },
    );
    if (off === null) return;
    const detail = `webhook endpoint ${id} was switched off: ${off.doc.disabledReason ?? disabledReason}`;
    await this.incidents.open('webhook_endpoint_disabled', id, detail);
  }
}
