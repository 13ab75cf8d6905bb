import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { onTelemetry } from '../kernel/telemetry.js';
import { INCIDENT_KINDS } from '../incidents/incidents.port.js';
import { BackendCounts } from './backend-counts.js';

const QUICK_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LAG_SECONDS = [1, 2, 5, 10, 20, 60, 300];
const START_SECONDS = [1, 2, 3, 5, 8, 13, 20, 35, 60];
const FINAL = ['COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'];
const METHODS = ['GET', 'HEAD', 'POST'];

/** Of the process, whatever runs in it: what watches the event loop is there once. */
const ofProcess = new Registry();
let watched = false;

/**
 * What Prometheus reads of this process. No label takes a value from a request or an id, so that the number of series
 * has a bound. Counters are this process' own; gauges named `tallylight_…` of what is stored are the same on every instance.
 */
@Injectable()
export class Metrics implements OnApplicationShutdown {
  private readonly registry = new Registry();
  private readonly http: Histogram<'method' | 'route' | 'status'>;
  private readonly inProgress: Gauge<'status'>;
  private readonly jobs: Gauge<'queue' | 'state'>;
  private readonly unsettled: Gauge;
  private readonly effects: Gauge;
  private readonly webhooksSilent: Gauge;
  private readonly noEgressWorker: Gauge<'kind'>;
  private readonly redisUp: Gauge;
  private readonly unexplained: Gauge;
  private readonly oldestUnsettled: Gauge;
  private readonly oldestEffect: Gauge;
  private readonly sweepAge: Gauge<'sweep'>;
  private readonly events: Gauge;
  private readonly incidents: Gauge<'kind'>;
  private readonly deafen: readonly (() => void)[];

  constructor(private readonly counts: BackendCounts) {
    const { registry } = this;
    if (!watched) collectDefaultMetrics({ register: ofProcess });
    watched = true;
    this.http = new Histogram({
      name: 'tallylight_http_request_seconds',
      help: 'Time from the head of a request to the end of its answer; route is the pattern, not the path.',
      labelNames: ['method', 'route', 'status'],
      buckets: QUICK_SECONDS,
      registers: [registry],
    });
    const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
      new Gauge({ name, help, labelNames, registers: [registry] });
    this.inProgress = gauge('tallylight_recordings_in_progress', 'Recordings in progress, by status.', [
      'status',
    ]);
    this.jobs = gauge(
      'tallylight_jobs',
      'Jobs by queue and state; the queue "inbox" holds webhooks that are not applied yet.',
      ['queue', 'state'],
    );
    this.unsettled = gauge(
      'tallylight_recordings_unsettled',
      'Recordings that somebody has to come back to.',
    );
    this.effects = gauge('tallylight_effects_filed', 'Effects of changes that are not yet in a queue.');
    this.webhooksSilent = gauge(
      'tallylight_livekit_webhooks_silent',
      'Whether egresses have changed for a minute and more without a webhook that told of it.',
    );
    this.noEgressWorker = gauge(
      'tallylight_no_egress_worker',
      'Whether no egress worker would take a recording of this kind; absent while it is not known.',
      ['kind'],
    );
    this.unexplained = gauge(
      'tallylight_unexplained',
      'Egresses that no recording explains, and recordings in progress that no egress explains.',
    );
    this.oldestUnsettled = gauge(
      'tallylight_oldest_unsettled_seconds',
      'Age of the oldest recording that somebody has to come back to; 0 where there is none.',
    );
    this.oldestEffect = gauge(
      'tallylight_oldest_effect_seconds',
      'Age of the oldest effect that is not yet carried out or in a queue; 0 where there is none.',
    );
    this.sweepAge = gauge(
      'tallylight_sweep_age_seconds',
      'Time since the end of the last pass of a sweep, made by whichever process; absent before the first one.',
      ['sweep'],
    );
    this.events = gauge('tallylight_event_log_length', 'Events in the log.');
    this.incidents = gauge('tallylight_incidents_open', 'Incidents that are open, by kind.', ['kind']);
    this.redisUp = gauge('tallylight_redis_up', 'Whether Redis could be asked for this page.');
    this.deafen = [
      this.countOperations(),
      this.countLiveKit(),
      ...this.countWebhooks(),
      ...this.countRecordings(),
      this.countSweeps(),
      this.countEventLag(),
      this.countPutOff(),
      this.countUnrecorded(),
    ];
  }

  /** Measures every request from now on. */
  watch(server: FastifyInstance): void {
    server.addHook('onResponse', (request, reply, next) => {
      const method = METHODS.includes(request.method) ? request.method : 'other';
      const labels = { method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) };
      this.http.observe(labels, reply.elapsedTime / 1_000);
      next();
    });
  }

  /** The page in Prometheus' text format; what Redis would have said is left out while it is away. */
  async page(): Promise<{ contentType: string; body: string }> {
    const counts = await this.counts.read();
    for (const stored of [this.inProgress, this.jobs, this.sweepAge, this.incidents]) stored.reset();
    this.redisUp.set(counts === null ? 0 : 1);
    if (counts === null) for (const bare of this.storedAlone()) bare.remove();
    else {
      for (const [status, count] of Object.entries(counts.inProgress)) this.inProgress.set({ status }, count);
      for (const { queue, state, count } of counts.jobs) this.jobs.set({ queue, state }, count);
      this.unsettled.set(counts.unsettled);
      this.effects.set(counts.effects);
      this.unexplained.set(counts.unexplained);
      this.oldestUnsettled.set(counts.oldestUnsettledSeconds);
      this.oldestEffect.set(counts.oldestEffectSeconds);
      this.events.set(counts.events);
      for (const { sweep, seconds } of counts.sweepAges) this.sweepAge.set({ sweep }, seconds);
      for (const kind of INCIDENT_KINDS) this.incidents.set({ kind }, 0);
      for (const kind of counts.openIncidents) this.incidents.inc({ kind });
      this.webhooksSilent.set(counts.webhooksSilent ? 1 : 0);
      for (const { kind, availability } of counts.workers) {
        if (availability === 'UNKNOWN') this.noEgressWorker.remove({ kind });
        else this.noEgressWorker.set({ kind }, availability === 'NONE' ? 1 : 0);
      }
    }
    const all = Registry.merge([ofProcess, this.registry]);
    return { contentType: all.contentType, body: await all.metrics() };
  }

  /** Gauges of what Redis alone knows, without labels. */
  private storedAlone(): Gauge[] {
    const { unsettled, effects, webhooksSilent, unexplained, oldestUnsettled, oldestEffect, events } = this;
    return [unsettled, effects, webhooksSilent, unexplained, oldestUnsettled, oldestEffect, events];
  }

  onApplicationShutdown(): void {
    for (const stop of this.deafen) stop();
  }

  private countOperations(): () => void {
    const operations = new Histogram({
      name: 'tallylight_graphql_operation_seconds',
      help: 'Time of one operation; field is the field of the schema it asks for, or several, or introspection.',
      labelNames: ['type', 'field', 'outcome'] as const,
      buckets: QUICK_SECONDS,
      registers: [this.registry],
    });
    return onTelemetry('graphql-operation', ({ seconds, ...labels }) => operations.observe(labels, seconds));
  }

  private countLiveKit(): () => void {
    const requests = new Histogram({
      name: 'tallylight_livekit_request_seconds',
      help: 'Time that LiveKit took for one request, by its method and what came of it.',
      labelNames: ['method', 'outcome'] as const,
      buckets: QUICK_SECONDS,
      registers: [this.registry],
    });
    return onTelemetry('livekit-request', ({ method, outcome, seconds }) =>
      requests.observe({ method, outcome }, seconds),
    );
  }

  private countWebhooks(): (() => void)[] {
    const registers = [this.registry];
    const taken = new Counter({
      name: 'tallylight_livekit_webhooks_total',
      help: 'Webhooks of LiveKit that were believed and stored.',
      registers,
    });
    const refused = new Counter({
      name: 'tallylight_livekit_webhooks_refused_total',
      help: 'Webhooks that were not believed, by reason: not-signed, too-long, bad-signature, clock, other-body.',
      labelNames: ['reason'] as const,
      registers,
    });
    const lag = new Histogram({
      name: 'tallylight_livekit_webhook_lag_seconds',
      help: "Time from what a webhook tells of until it was applied or stored; LiveKit's clock has whole seconds.",
      buckets: LAG_SECONDS,
      registers,
    });
    return [
      onTelemetry('livekit-webhook', ({ lagSeconds }) => {
        taken.inc();
        lag.observe(Math.max(0, lagSeconds));
      }),
      onTelemetry('webhook-refused', ({ reason }) => refused.inc({ reason })),
    ];
  }

  private countRecordings(): (() => void)[] {
    const registers = [this.registry];
    const requested = new Counter({
      name: 'tallylight_recordings_requested_total',
      help: 'Attempts to record that were stored.',
      registers,
    });
    const starts = new Counter({
      name: 'tallylight_recording_starts_total',
      help: 'Starts by what came of them: ACTIVE, or the reason for which it never was.',
      labelNames: ['outcome'] as const,
      registers,
    });
    const startSeconds = new Histogram({
      name: 'tallylight_recording_start_seconds',
      help: 'Time from the request to ACTIVE, of recordings that became it.',
      buckets: START_SECONDS,
      registers,
    });
    const ended = new Counter({
      name: 'tallylight_recordings_ended_total',
      help: 'Recordings that became final, by status and reason.',
      labelNames: ['status', 'end_reason'] as const,
      registers,
    });
    return [
      onTelemetry('recording-changed', ({ from, to, endReason, secondsSinceRequest }) => {
        if (from === null) requested.inc();
        if (from === to || from === null) return;
        if (from === 'STARTING' && to === 'ACTIVE') starts.inc({ outcome: 'ACTIVE' });
        if (from === 'STARTING' && FINAL.includes(to)) starts.inc({ outcome: endReason ?? 'NONE' });
        if (to === 'ACTIVE') startSeconds.observe(Math.max(0, secondsSinceRequest));
        if (FINAL.includes(to)) ended.inc({ status: to, end_reason: endReason ?? 'NONE' });
      }),
    ];
  }

  private countSweeps(): () => void {
    const registers = [this.registry];
    const labelNames = ['sweep'] as const;
    const counter = (name: string, help: string): Counter<'sweep'> =>
      new Counter({ name, help, labelNames, registers });
    const runs = counter('tallylight_sweep_runs_total', 'Passes of a sweep that this process made.');
    const acted = counter('tallylight_sweep_acted_total', 'What sweeps put right.');
    const failed = counter('tallylight_sweep_failed_total', 'What sweeps tried to put right and could not.');
    return onTelemetry('sweep-finished', ({ sweep, dryRun, ...run }) => {
      if (dryRun) return;
      runs.inc({ sweep });
      acted.inc({ sweep }, run.acted);
      failed.inc({ sweep }, run.failed);
    });
  }

  private countPutOff(): () => void {
    const putOff = new Counter({
      name: 'tallylight_jobs_put_off_total',
      help: 'Runs of jobs that did not find what they need, by queue and code, and come later.',
      labelNames: ['queue', 'dependency'] as const,
      registers: [this.registry],
    });
    return onTelemetry('job-put-off', (labels) => putOff.inc(labels));
  }

  private countEventLag(): () => void {
    const lag = new Histogram({
      name: 'tallylight_event_log_lag_seconds',
      help: 'Time from the writing of an event until this process read it for its subscribers.',
      buckets: QUICK_SECONDS,
      registers: [this.registry],
    });
    return onTelemetry('event-read', ({ lagSeconds }) => lag.observe(Math.max(0, lagSeconds)));
  }

  private countUnrecorded(): () => void {
    const unrecorded = new Counter({
      name: 'tallylight_unrecorded_seconds_total',
      help: 'Time in which rooms with autoRecordFrom should have been recorded and were not.',
      registers: [this.registry],
    });
    return onTelemetry('room-unrecorded', ({ seconds }) => unrecorded.inc(seconds));
  }
}
