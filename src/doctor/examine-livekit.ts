import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';
import { Config } from '../config/config.js';
import { SystemClock } from '../kernel/clock.js';
import { newToken } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import { LOOPBACK_EVENT, type WorkerKind } from '../livekit/livekit.types.js';
import { WORKER_KINDS } from '../recordings/recorders/worker-availability.port.js';
import { WebhooksHeard } from '../ops/webhooks-heard.js';
import { type Finding, Examination, fault, note, ok, unknown } from './finding.js';

const ANSWER_MS = 5_000;
/** LiveKit and we believe each other's tokens within a minute; what is off by this much grows. */
const CLOCK_TOLERANCE_MS = 5_000;
/** An HTTP date has whole seconds. */
const DATE_GRAIN_MS = 1_000;
const WORDS: Readonly<Record<WorkerKind, { readonly name: string; readonly cpus: string }>> = {
  room_composite: { name: 'egress.composite', cpus: '4 free CPUs' },
  room_composite_audio: { name: 'egress.audio', cpus: 'one free CPU' },
};
const EGRESS_VERSION =
  'LiveKit does not tell the version of its egress service: have 1.14.1 or later, which mends stalls and lost segments';

/** LiveKit, its webhooks and its egress workers. Creates nothing there. */
@Injectable()
export class ExamineLiveKit extends Examination {
  readonly area = 'livekit';
  private readonly clock = new SystemClock();

  constructor(
    private readonly config: Config,
    private readonly livekit: LiveKit,
    private readonly heardOf: WebhooksHeard,
  ) {
    super();
  }

  async examine(): Promise<Finding[]> {
    const [access, clock, loopback, heard] = await Promise.all([
      this.access(),
      this.time(),
      this.loopback(),
      this.heard(),
    ]);
    const isThere = access.verdict === 'ok';
    const workers = isThere
      ? await this.workers()
      : [unknown('egress', 'LiveKit can not be asked for workers')];
    return [access, clock, loopback, heard, ...workers, note('egress.version', EGRESS_VERSION)];
  }

  private async access(): Promise<Finding> {
    const name = 'livekit.access';
    try {
      await this.livekit.checkAccess();
      return ok(name, 'it answers and takes our credentials');
    } catch (error) {
      const fix =
        'check LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; the key pair has to stand in its configuration under keys';
      return fault(name, messageOf(error), fix);
    }
  }

  /** By the date that its HTTP server gives. */
  private async time(): Promise<Finding> {
    const name = 'livekit.clock';
    try {
      const askedAt = this.clock.now();
      const answer = await ask(this.config.livekit.url.replace(/^ws/, 'http'));
      const answeredAt = this.clock.now();
      const date = Date.parse(answer.headers.get('date') ?? '');
      if (Number.isNaN(date)) return unknown(name, 'its answers have no date');
      const ahead =
        date < askedAt - DATE_GRAIN_MS ? date + DATE_GRAIN_MS - askedAt : Math.max(0, date - answeredAt);
      if (Math.abs(ahead) <= CLOCK_TOLERANCE_MS) return ok(name, 'it agrees with this machine');
      const side = ahead > 0 ? 'ahead of' : 'behind';
      return fault(
        name,
        `its clock is ${Math.round(Math.abs(ahead) / 1_000)} s ${side} this machine's: from a minute on, tokens and webhooks are refused`,
        'let both machines set their clocks by NTP',
      );
    } catch {
      return unknown(name, 'it gives no answer');
    }
  }

  /** An event as LiveKit would send it, signed with the key pair, to the address that LiveKit has to be given. */
  private async loopback(): Promise<Finding> {
    const name = 'livekit.webhook_address';
    const url = `${this.config.publicUrl}/livekit/webhook`;
    try {
      const { status } = await ask(url, await this.signedEvent());
      if (status === 200) return ok(name, `an event of ours arrives at ${url}`);
      return fault(
        name,
        `an event of ours that was sent to ${url} was answered ${status}`,
        adviceFor(status),
      );
    } catch (error) {
      return fault(
        name,
        `no event arrives at ${url}: ${messageOf(error)}`,
        'start an instance, set PUBLIC_URL to where it is reached, and look at what stands between',
      );
    }
  }

  private async signedEvent(): Promise<RequestInit> {
    const { apiKey, apiSecret } = this.config.livekit;
    const seconds = Math.floor(this.clock.now() / 1_000);
    const body = JSON.stringify({
      event: LOOPBACK_EVENT,
      id: `EV_${newToken()}`,
      createdAt: String(seconds),
    });
    const authorization = await new SignJWT({ sha256: createHash('sha256').update(body).digest('base64') })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(apiKey)
      .setNotBefore(seconds - 5)
      .setExpirationTime(seconds + 60)
      .sign(new TextEncoder().encode(apiSecret));
    return { method: 'POST', headers: { 'content-type': 'application/webhook+json', authorization }, body };
  }

  private async heard(): Promise<Finding> {
    const name = 'livekit.webhooks';
    try {
      const { heardAt, silentSince } = await this.heardOf.seen();
      if (silentSince !== null) {
        return fault(
          name,
          `egresses have changed since ${new Date(silentSince).toISOString()}, and no webhook of LiveKit has told of it`,
          `name ${this.config.publicUrl}/livekit/webhook in LiveKit's configuration under webhook.urls, with webhook.api_key`,
        );
      }
      if (heardAt === null) return note(name, 'none has come, and none was due');
      return ok(name, `the last one came ${new Date(heardAt).toISOString()}`);
    } catch {
      return unknown(name, 'Redis can not be asked');
    }
  }

  private async workers(): Promise<Finding[]> {
    try {
      const [room] = await this.livekit.listRooms();
      if (room === undefined) {
        return [
          note(
            'egress',
            'LiveKit can be asked for workers in an open room alone, and none is open: join one and look again',
          ),
        ];
      }
      return await Promise.all(WORKER_KINDS.map((kind) => this.worker(room.name, kind)));
    } catch (error) {
      return [unknown('egress', messageOf(error))];
    }
  }

  private async worker(roomName: string, kind: WorkerKind): Promise<Finding> {
    const { name, cpus } = WORDS[kind];
    const answer = await this.livekit.askFleet(roomName, kind);
    if (answer === 'there') return ok(name, 'a worker would take one');
    if (answer === 'room-not-open') return unknown(name, 'the room was closed meanwhile');
    return fault(
      name,
      'no egress worker would take one: none is running, none reaches the Redis of LiveKit, or all are busy',
      `start LiveKit's egress service with ${cpus}, with the same redis and key pair as LiveKit`,
    );
  }
}

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS), ...init });
}

function adviceFor(status: number): string {
  if (status === 401)
    return 'the instance there has another key pair, or a proxy changes the body: give it the same LIVEKIT_API_KEY and LIVEKIT_API_SECRET';
  if (status === 503) return 'the instance there can not reach its Redis; see above';
  if (status === 429) return 'wait a minute: too many wrong credentials came from this address';
  return 'PUBLIC_URL leads to something else: set it to where Tallylight is reached, with the path if it has one';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const why = cause instanceof Error && error.message === 'fetch failed' ? cause.message : error.message;
  return why.slice(0, 300);
}
