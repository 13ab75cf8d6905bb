import {
  type Context,
  DiagLogLevel,
  type Span,
  SpanKind,
  context,
  diag,
  propagation,
  trace,
} from '@opentelemetry/api';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { Config } from '../config/config.js';
import { Instance } from '../config/instance.js';
import { VERSION } from '../config/version.js';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { failSpan } from '../kernel/tracing.js';

/** What was not taken by then is lost with the process: an end waits for nobody's collector. */
const FLUSH_LIMIT_MS = 1_500;
/** How often it is told that traces don't get through, ms. */
const TOLD_EVERY_MS = 60_000;
/** Asked every few seconds by machines, and of no interest. */
const UNTRACED = ['/health/live', '/health/ready', '/metrics'];

/** Sends traces to a collector by OTLP, where OTEL_EXPORTER_OTLP_ENDPOINT names one; else it is not even loaded. */
@Injectable()
export class Tracing implements OnModuleInit, OnApplicationShutdown {
  private readonly log = new Logger('Tracing');
  private provider: NodeTracerProvider | null = null;
  private readonly requests = new WeakMap<
    FastifyRequest,
    { readonly span: Span; readonly inside: Context }
  >();

  constructor(
    private readonly config: Config,
    private readonly instance: Instance,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    if (!this.config.tracing) return;
    const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resources] = await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
    // What the environment says (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) wins over what we say of ourselves.
    const resource = resources
      .defaultResource()
      .merge(
        resources.resourceFromAttributes({
          'service.name': 'tallylight',
          'service.version': VERSION,
          'service.instance.id': this.instance.id,
          'tallylight.role': this.config.role,
        }),
      )
      .merge(resources.detectResources({ detectors: [resources.envDetector] }));
    // The exporter, the batches and the sampler read their own variables (OTEL_EXPORTER_OTLP_…, OTEL_BSP_…, OTEL_TRACES_SAMPLER).
    const provider = new NodeTracerProvider({
      resource,
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    provider.register();
    this.tellOfFailures();
    this.provider = provider;
    this.log.log({ event: 'tracing', message: 'traces are sent to the collector' });
  }

  /** A collector that is away costs nothing but its traces; the library says so at every batch. */
  private tellOfFailures(): void {
    let toldAt = -Infinity;
    const tell = (cause: string): void => {
      if (this.clock.now() - toldAt < TOLD_EVERY_MS) return;
      toldAt = this.clock.now();
      this.log.warn({ event: 'traces_not_sent', message: 'the collector did not take traces', cause });
    };
    const nothing = (): void => undefined;
    const quiet = { warn: tell, info: nothing, debug: nothing, verbose: nothing };
    diag.setLogger({ error: tell, ...quiet }, DiagLogLevel.WARN);
  }

  /** Makes every request a span, in the trace of whoever sent it. */
  watch(server: FastifyInstance): void {
    if (!this.config.tracing) return;
    server.addHook('onRequest', (request, _reply, next) => {
      const route = request.routeOptions.url ?? 'none';
      if (UNTRACED.includes(route)) return next();
      const outside = propagation.extract(context.active(), request.headers);
      const span = trace.getTracer('tallylight').startSpan(
        `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: { 'http.request.method': request.method, 'http.route': route },
        },
        outside,
      );
      this.requests.set(request, { span, inside: trace.setSpan(outside, span) });
      next();
    });
    // Not in the first hook alone: the body is read in between, from events that know of no trace.
    server.addHook('preValidation', (request, _reply, next) => {
      const traced = this.requests.get(request);
      if (traced) context.with(traced.inside, next);
      else next();
    });
    server.addHook('onResponse', (request, reply, next) => {
      const span = this.requests.get(request)?.span;
      span?.setAttribute('http.response.status_code', reply.statusCode);
      if (span && reply.statusCode >= 500) failSpan(span, String(reply.statusCode));
      span?.end();
      next();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    const { provider } = this;
    if (provider === null) return;
    const ended = provider.shutdown().catch((error: unknown) => {
      this.log.warn({
        event: 'traces_lost',
        message: 'the collector did not take the last traces',
        cause: String(error),
      });
    });
    await awaitWithin(this.clock, FLUSH_LIMIT_MS, ended, () => undefined);
    trace.disable();
    context.disable();
    propagation.disable();
    diag.disable();
  }
}
