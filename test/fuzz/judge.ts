import { BOUNDS } from '../../src/kernel/bounds.js';
import { ERROR_TABLE } from '../../src/kernel/errors.js';
import type { HttpAnswer } from './exchange.js';
import type { World } from './world.js';

const CODES = new Set<string>(Object.keys(ERROR_TABLE));
/** What only a fault of ours, or a dependency that is not there, is answered with. */
const FAULTS = new Set(['INTERNAL', 'REDIS_UNAVAILABLE', 'STORAGE_UNAVAILABLE', 'LIVEKIT_UNAVAILABLE']);
const STACK = /\n\s+at |\bat \S+ \([^)]*:\d+:\d+\)|\.(?:ts|js):\d+:\d+/;
/** Of the answer to a request that was refused: no more than some sentences and what they name. */
const REFUSAL_BYTES = 32 * 1024;
const SLOW_MS = 6_000;

export type Problem = string;

export interface GraphqlError {
  readonly message?: unknown;
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly path?: unknown;
}

/** What is wrong with an answer, whatever was asked. */
export function judgeHttp(world: World, answer: HttpAnswer): Problem[] {
  const { status, body, headers, tookMs, endless, unfinished } = answer;
  const text = body.toString('utf8');
  const problems = leaks(world, `${JSON.stringify(headers)}\n${text}`);
  if (endless) problems.push('the answer has no end');
  if (tookMs > SLOW_MS) problems.push(`the answer took ${Math.round(tookMs)} ms`);
  if (status === null) {
    if (!unfinished) problems.push('no answer');
  } else if (status >= 500) problems.push(`the status ${status}`);
  else if (status >= 400 && body.length > REFUSAL_BYTES) problems.push(`a refusal of ${body.length} bytes`);
  if (body.length > BOUNDS.answerBytes + 1024) problems.push(`an answer of ${body.length} bytes`);
  if (headers['content-type']?.startsWith('application/json')) problems.push(...judgeJson(text, status ?? 0));
  if (status === 206) problems.push(...judgePart(answer));
  return problems;
}

function judgeJson(text: string, status: number): Problem[] {
  if (text === '') return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return [`a body that is no JSON: ${String(error)}`];
  }
  const { errors, error } = Object(parsed) as { errors?: unknown; error?: unknown };
  const problems = Array.isArray(errors) ? judgeErrors(errors as GraphqlError[]) : [];
  if (status < 400 || Array.isArray(errors)) return problems;
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || !CODES.has(code))
    problems.push(`an error without a code: ${text.slice(0, 200)}`);
  if (typeof message !== 'string' || message.length > BOUNDS.message)
    problems.push('an error without a message of its length');
  return problems;
}

/** Of GraphQL, over HTTP or a WebSocket. */
export function judgeErrors(errors: readonly GraphqlError[]): Problem[] {
  const problems: Problem[] = [];
  for (const { message, extensions = {} } of errors) {
    const { code, ...subject } = extensions;
    if (typeof code !== 'string' || !CODES.has(code))
      problems.push(`an error without a code: ${JSON.stringify(message)}`);
    else if (FAULTS.has(code)) problems.push(`${code}: ${String(message).slice(0, 200)}`);
    if (typeof message !== 'string' || message.length > BOUNDS.message)
      problems.push('a message that is too long');
    for (const [name, value] of Object.entries(subject)) {
      if (String(value).length > BOUNDS.id)
        problems.push(`extensions.${name} repeats ${String(value).length} characters`);
    }
  }
  return problems;
}

function judgePart({ headers, body }: HttpAnswer): Problem[] {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  if (first === undefined) return ['a part without its place'];
  const length = Number(last) - Number(first) + 1;
  const said = Number(headers['content-length']);
  if (length < 1 || Number(last) >= Number(size)) return [`a part ${headers['content-range']}`];
  return said !== length || (body.length !== 0 && body.length !== length) ? ['a part of another length'] : [];
}

export function leaks(world: World, text: string): Problem[] {
  const problems = world.secrets
    .filter((secret) => text.includes(secret))
    .map((secret) => `it shows ${secret}`);
  const stack = STACK.exec(text);
  if (stack) problems.push(`it shows a stack: ${text.slice(stack.index, stack.index + 100)}`);
  return problems;
}
