import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type AuditAction, AuditLog } from '../../audit/audit-log.js';
import { requireRight } from '../../auth/rights.js';
import { shown } from '../../kernel/shown.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import { newWebhookEndpointId, type RoomId } from '../../kernel/ids.js';
import { Incidents } from '../../incidents/incidents.port.js';
import { KeptStore } from '../../kept/kept.store.js';
import { KeptWriter } from '../../kept/kept.writer.js';
import { Endpoints } from '../deliver/endpoints.js';
import { WebhookSender } from '../deliver/webhook-sender.js';
import { ENDPOINTS, type WebhookEndpoint, type WebhookEventType } from '../domain/endpoint.js';
import { DeliveryStore } from '../store/delivery.store.js';
import { CheckUrl } from './check-url.js';

const MOST_ENDPOINTS = 100;
/** Secrets of one endpoint that may overlap; a header has room for so many signatures. */
const MOST_SECRETS = 5;
const SECRET_BYTES = 32;

export interface NewEndpoint {
  readonly url: string;
  readonly events: readonly WebhookEventType[];
  readonly roomIds: readonly RoomId[] | null;
}

/** What is left out stays as it is. */
export type EndpointChange = Partial<NewEndpoint> & { readonly enabled?: boolean };

/** The secret is nowhere but here. */
export interface EndpointMade {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/** For an ADMIN of every room. */
@Injectable()
export class ManageEndpoints {
  constructor(
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly deliveries: DeliveryStore,
    private readonly endpoints: Endpoints,
    private readonly sender: WebhookSender,
    private readonly urls: CheckUrl,
    private readonly incidents: Incidents,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** It is told what happens from now on. Throws FORBIDDEN, BAD_USER_INPUT, WEBHOOK_URL_REFUSED, STORAGE_UNAVAILABLE. */
  async create(wanted: NewEndpoint, actor: Actor): Promise<EndpointMade> {
    this.admit(actor);
    const url = await this.urls.execute(wanted.url);
    const now = this.clock.now();
    const secret = newSecret();
    const endpoint: WebhookEndpoint = {
      id: newWebhookEndpointId(now),
      url,
      events: wanted.events,
      roomIds: wanted.roomIds,
      enabled: true,
      disabledReason: null,
      createdAt: now,
      createdBy: actor.name,
      secrets: [{ sealed: this.sender.seal(secret), until: null }],
      since: await this.deliveries.ends(),
    };
    await this.writer.create(ENDPOINTS, endpoint.id, changeOf(endpoint), {
      most: MOST_ENDPOINTS,
      also: [this.told(actor, 'webhook.created', endpoint)],
    });
    this.endpoints.forgetRecent();
    return { endpoint, secret };
  }

  /** Throws FORBIDDEN, WEBHOOK_ENDPOINT_NOT_FOUND, BAD_USER_INPUT, WEBHOOK_URL_REFUSED, STORAGE_UNAVAILABLE. */
  async update(id: string, change: EndpointChange, actor: Actor): Promise<WebhookEndpoint> {
    this.admit(actor);
    const { url, enabled, ...rest } = change;
    const address = url === undefined ? undefined : await this.urls.execute(url);
    // What happened while it was switched off it is told by recoverWebhooks alone.
    const ends = enabled === true ? await this.deliveries.ends() : null;
    let revived = false;
    const updated = await this.writer.update<WebhookEndpoint>(
      ENDPOINTS,
      id,
      ({ doc }) => {
        revived = enabled === true && !doc.enabled;
        const on = enabled ?? doc.enabled;
        const disabledReason = on ? null : (doc.disabledReason ?? `switched off by ${actor.name}`);
        const next = {
          ...doc,
          ...rest,
          ...(address !== undefined && { url: address }),
          ...(revived && ends !== null && { since: ends }),
        };
        return changeOf({ ...next, enabled: on, disabledReason });
      },
      { durable: 'now', also: (next) => [this.told(actor, 'webhook.updated', next)] },
    );
    if (updated === null) throw endpointNotFound(id);
    if (revived) {
      await this.deliveries.revive(id, this.clock.now());
      await this.incidents.close('webhook_endpoint_disabled', id);
    }
    return updated.doc;
  }

  /** What it is sent is signed by both secrets until the overlap ends. Throws as `update`. */
  async rotate(id: string, overlapMs: number, actor: Actor): Promise<EndpointMade> {
    this.admit(actor);
    const now = this.clock.now();
    const secret = newSecret();
    const rotated = await this.writer.update<WebhookEndpoint>(
      ENDPOINTS,
      id,
      ({ doc }) => {
        const older = doc.secrets
          .map(({ sealed, until }) => ({ sealed, until: Math.min(until ?? Infinity, now + overlapMs) }))
          .filter(({ until }) => until > now)
          .slice(1 - MOST_SECRETS);
        return changeOf({ ...doc, secrets: [...older, { sealed: this.sender.seal(secret), until: null }] });
      },
      { durable: 'now', also: (next) => [this.told(actor, 'webhook.secret_rotated', next)] },
    );
    if (rotated === null) throw endpointNotFound(id);
    return { endpoint: rotated.doc, secret };
  }

  /** With all that waits for it. Throws FORBIDDEN, WEBHOOK_ENDPOINT_NOT_FOUND. */
  async delete(id: string, actor: Actor): Promise<WebhookEndpoint> {
    this.admit(actor);
    const { doc } = await this.kept(id);
    const removed = await this.writer.remove<WebhookEndpoint>(ENDPOINTS, id, [
      this.told(actor, 'webhook.deleted', doc),
    ]);
    if (removed === null) throw endpointNotFound(id);
    await this.deliveries.forgetEndpoint(id);
    await this.incidents.close('webhook_endpoint_disabled', id);
    return removed.doc;
  }

  async list(actor: Actor): Promise<WebhookEndpoint[]> {
    this.admit(actor);
    return (await this.store.all<WebhookEndpoint>(ENDPOINTS)).map(({ doc }) => doc);
  }

  /** Throws FORBIDDEN, WEBHOOK_ENDPOINT_NOT_FOUND. */
  async one(id: string, actor: Actor): Promise<WebhookEndpoint> {
    this.admit(actor);
    return (await this.kept(id)).doc;
  }

  private async kept(id: string) {
    const kept = await this.store.get<WebhookEndpoint>(ENDPOINTS, id);
    if (kept === null) throw endpointNotFound(id);
    return kept;
  }

  /** Throws FORBIDDEN. */
  admitTo(actor: Actor): void {
    this.admit(actor);
  }

  private admit(actor: Actor): void {
    requireRight(actor, 'administer', 'every-room', 'manage webhook endpoints');
  }

  private told(actor: Actor, action: AuditAction, { id, url, events, enabled }: WebhookEndpoint) {
    const { origin } = new URL(url);
    return this.audit.addition({
      actor: actor.name,
      action,
      subject: id,
      detail: { origin, events, enabled },
    });
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

function changeOf(doc: WebhookEndpoint) {
  return { doc, handles: [] };
}

export function endpointNotFound(id: string): TallyError {
  return new TallyError('WEBHOOK_ENDPOINT_NOT_FOUND', `there is no webhook endpoint ${shown(id)}`);
}
