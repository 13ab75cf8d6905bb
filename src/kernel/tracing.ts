import {
  type Attributes,
  type Span,
  SpanKind,
  SpanStatusCode,
  context,
  propagation,
  trace,
} from '@opentelemetry/api';

/** Resolved at each use, so that it does not matter who is loaded first. */
const tracer = (): ReturnType<typeof trace.getTracer> => trace.getTracer('tallylight');

/** Whose work a span is: our own, or another service's that is waited for. */
export type TracedWork = 'own' | 'of-another';

/**
 * Runs work as a span of the trace that is under way, or of a new one. Without an exporter (OTEL_EXPORTER_OTLP_ENDPOINT)
 * it only runs it. A failure is shown by its code, never by its text: texts may hold what a client sent.
 */
export async function traced<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  whose: TracedWork = 'own',
): Promise<T> {
  const kind = whose === 'own' ? SpanKind.INTERNAL : SpanKind.CLIENT;
  const span = tracer().startSpan(name, { kind, attributes });
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    failSpan(span, codeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Says of the span what went wrong: a code, no text. */
export function failSpan(span: Span, code: string): void {
  span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR, message: code });
}

/** What a message carries so that whoever takes it up goes on in the same trace (W3C Trace Context); empty outside of one. */
export function traceCarrier(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** Runs work in the trace that a message came with. */
export function inTraceOf<T>(carrier: unknown, work: () => Promise<T>): Promise<T> {
  return context.with(propagation.extract(context.active(), Object(carrier)), work);
}

/** Gives the span of the request that is being answered a better name, once that is known. */
export function nameSpan(name: string, attributes: Attributes): void {
  trace.getActiveSpan()?.updateName(name).setAttributes(attributes);
}

/** The ids of the trace that is under way, for a line of the log; null outside of one, and without an exporter. */
export function activeTrace(): { readonly trace_id: string; readonly span_id: string } | null {
  const seen = trace.getActiveSpan()?.spanContext();
  return seen === undefined || seen.traceFlags === 0
    ? null
    : { trace_id: seen.traceId, span_id: seen.spanId };
}

function codeOf(error: unknown): string {
  const { code, name }: { code?: unknown; name?: unknown } = Object(error);
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error';
}
