import { TallyError } from '../kernel/errors.js';

/** What Redis refuses with where a later try, or a change by an operator, makes the same command succeed. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'Redis takes no writes: it is full (maxmemory). Raise maxmemory, or free memory; reads still work',
  READONLY: 'Redis takes no writes: the server at this address is a replica. Point REDIS_URL at the master',
  NOAUTH: 'Redis asks for a password. Put it into REDIS_URL',
  WRONGPASS: 'Redis refuses the user or password of REDIS_URL. Correct them',
  MOVED: 'This Redis is a node of a cluster. Write REDIS_URL with ?cluster=true',
  ASK: 'Redis is moving our keys to another node. Write REDIS_URL with ?cluster=true',
  CLUSTERDOWN: 'The Redis cluster is down. Check its nodes',
  NOREPLICAS: 'Redis takes no writes: it has too few replicas (min-replicas-to-write). Check its replicas',
  BUSY: 'Redis is busy with a script that takes too long; try again in a moment',
  UNKILLABLE: 'Redis is busy with a script that takes too long; try again in a moment',
  LOADING: 'Redis is loading its data; try again in a moment',
  MISCONF: 'Redis takes no writes: it can not save to its disk. Look into its log',
  MASTERDOWN: 'This Redis replica has lost its master. Check the master',
  TRYAGAIN: 'Redis is moving our keys; try again in a moment',
  UNBLOCKED: 'Redis changed its role; try again in a moment',
};

const UNREACHABLE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'NR_CLOSED'],
]);

/** The client's own failures, which it gives neither a code nor a class. */
const CLIENT_FAILURES = new Set([
  'Connection is closed.',
  'Command timed out',
  "Cluster isn't ready and enableOfflineQueue options is false",
  'None of startup nodes is available',
  "Stream isn't writeable and enableOfflineQueue options is false",
  'connect ETIMEDOUT',
  'Command aborted due to connection close',
]);

/** A failed Redis command as the contract's refusal; other errors, a bug in a script of ours too, are given back as they are. */
export function redisFailure(error: unknown): unknown {
  if (error instanceof TallyError) return error;
  const sentence = sentenceOf(error);
  return sentence === null ? error : new TallyError('REDIS_UNAVAILABLE', sentence, { cause: error });
}

/** Null: not a failure of Redis. */
function sentenceOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  const { name, code, message, previousErrors } = error as RedisError;
  if (name === 'ReplyError') {
    const prefix = prefixOf(message);
    // A transaction that was given up says nothing of why; the commands in it do.
    if (prefix === 'EXECABORT') {
      return previousErrors?.map(sentenceOf).find((sentence) => sentence !== null) ?? null;
    }
    return IN_SCRIPT_NOPERM.test(message) || prefix === 'NOPERM'
      ? notAllowed(message)
      : (REFUSALS[prefix] ?? null);
  }
  const unanswered =
    name === 'MaxRetriesPerRequestError' ||
    name === 'ClusterAllFailedError' ||
    (name === 'AbortError' && 'command' in error) ||
    (code !== undefined && UNREACHABLE.has(code)) ||
    CLIENT_FAILURES.has(message) ||
    message.startsWith('Socket timeout. Expecting data');
  return unanswered ? 'Redis does not answer; try again in a moment' : null;
}

/** Inside a script Redis has no code of its own for a user who may not. */
const IN_SCRIPT_NOPERM = /^ERR (?:ACL failure in script|The user executing the script can't)/;

/** Names the command, where Redis does. */
function notAllowed(message: string): string {
  const command = /'([\w|-]{1,40})' command/.exec(message)?.[1];
  const unnamed = /run this command/.test(message)
    ? 'run a command that a script needs'
    : 'use a key or channel that is needed';
  const what = command === undefined ? unnamed : `run ${command.toUpperCase()}`;
  return `The Redis user may not ${what}. Allow ~{tl}* &tl:* +@all to it`;
}

interface RedisError {
  readonly name?: string;
  readonly code?: string;
  readonly message: string;
  readonly previousErrors?: readonly unknown[];
}

/** The code that a refusal of Redis begins with; empty where it has none. */
export function prefixOf(message: string): string {
  return /^-?([A-Z]+)\b/.exec(message)?.[1] ?? '';
}
