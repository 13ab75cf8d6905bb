import { S3ServiceException } from '@aws-sdk/client-s3';
import type { StorageConfig } from '../config/config.js';
import { failureName, type FaultText } from './storage-errors.js';

export type S3Storage = Extract<StorageConfig, { kind: 's3' }>;

/** Thrown where a request was given up: nothing came of it within the time it had. */
export class NoAnswerInTime extends Error {
  readonly code = 'NoAnswerInTime';

  constructor(withinMs: number) {
    super(`no answer within ${withinMs} ms`);
    this.name = 'NoAnswerInTime';
  }
}

/** Thrown where a store answered with success and what it said is not what S3 says. */
export class UnexpectedAnswer extends Error {
  readonly code = 'UnexpectedAnswer';
}

interface Words {
  readonly plain: string;
  readonly advice: string;
}

const LATER = 'try again later';
const OPERATOR = 'whoever runs this server finds the reason in its log';

const REFUSED: Words = {
  plain: `it refuses access; ${OPERATOR}`,
  advice:
    'allow the key pair s3:ListBucket on the bucket and s3:GetObject, s3:PutObject and s3:DeleteObject on what is under the prefix ' +
    '(without s3:ListBucket an object that is not there looks like a refusal), and look at the bucket policy',
};
const WRONG_KEYS: Words = {
  plain: `it does not accept this server's credentials; ${OPERATOR}`,
  advice: 'check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or what the AWS SDK finds without them',
};
const WRONG_REGION: Words = {
  plain: `it belongs to another region than this server is set up for; ${OPERATOR}`,
  advice: "set S3_REGION to the bucket's region, and S3_ENDPOINT to an endpoint of that region or to none",
};
const AWAY: Words = {
  plain: `it can not be reached; ${LATER}`,
  advice: 'check that S3_ENDPOINT is right, that its server runs and that this machine may connect to it',
};
const SILENT: Words = {
  plain: `it does not answer in time; ${LATER}`,
  advice:
    'the server took the request and stayed silent, or the network drops it: look at its load and at the way to it',
};
const BUSY: Words = {
  plain: `it is asked for too much at the moment; ${LATER}`,
  advice: 'the store limits the rate of requests: raise the limit, or ask for less at once',
};
const BROKEN: Words = { plain: `it has a fault of its own; ${LATER}`, advice: "look at the store's own log" };
const CUT: Words = {
  plain: `its answer broke off; ${LATER}`,
  advice: 'look for what cuts connections between this machine and the store, a proxy or the store itself',
};
const TLS: Words = {
  plain: `no safe connection to it can be made; ${OPERATOR}`,
  advice:
    'check that S3_ENDPOINT says http or https as its server does and names what its certificate is for; ' +
    'NODE_EXTRA_CA_CERTS adds an authority, and S3_FORCE_PATH_STYLE=true keeps the bucket out of the name',
};
const UNKNOWN: Words = { plain: LATER, advice: 'check that S3_ENDPOINT is an S3 server' };

const ODD: Words = {
  plain: `it answers otherwise than it should; ${OPERATOR}`,
  advice: 'check that S3_ENDPOINT is an S3 server, and that no proxy before it changes answers',
};

const BY_CODE: Readonly<Record<string, Words>> = {
  NoSuchBucket: {
    plain: `what it is to keep recordings in does not exist; ${OPERATOR}`,
    advice:
      'create the bucket, or name the right one in STORAGE_URL; check also that S3_ENDPOINT is its server',
  },
  PermanentRedirect: WRONG_REGION,
  TemporaryRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  SignatureDoesNotMatch: {
    plain: WRONG_KEYS.plain,
    advice:
      'check that S3_SECRET_ACCESS_KEY belongs to S3_ACCESS_KEY_ID and has no stray space, and that no proxy changes Host, path or headers',
  },
  InvalidAccessKeyId: WRONG_KEYS,
  InvalidToken: WRONG_KEYS,
  ExpiredToken: WRONG_KEYS,
  CredentialsProviderError: WRONG_KEYS,
  RequestTimeTooSkewed: {
    plain: `its clock and this server's differ too much; ${OPERATOR}`,
    advice: 'set the clock of this machine, or of the store, right (NTP)',
  },
  InvalidObjectState: {
    plain: `what is asked for is in an archive class; ${OPERATOR}`,
    advice:
      'restore the object, and keep access/, rooms/ and recordings/.metadata/ out of lifecycle rules that archive',
  },
  SlowDown: BUSY,
  TooManyRequests: BUSY,
  TooManyRequestsException: BUSY,
  ThrottlingException: BUSY,
  NoAnswerInTime: SILENT,
  TimeoutError: SILENT,
  RequestTimeout: SILENT,
  ETIMEDOUT: SILENT,
  ECONNREFUSED: AWAY,
  EHOSTUNREACH: AWAY,
  ENETUNREACH: AWAY,
  ENOTFOUND: AWAY,
  EAI_AGAIN: AWAY,
  ECONNRESET: CUT,
  EPIPE: CUT,
  EPROTO: TLS,
  UnexpectedAnswer: ODD,
};

function wordsByStatus(status: number | undefined): Words {
  if (status === undefined) return UNKNOWN;
  if (status === 301 || status === 307) return WRONG_REGION;
  if (status === 401 || status === 403) return REFUSED;
  if (status === 404) return BY_CODE.NoSuchBucket ?? UNKNOWN;
  if (status === 429) return BUSY;
  return status >= 500 ? BROKEN : UNKNOWN;
}

/** What a failed request to a bucket says and what is to be done about it. */
export function describeS3Failure(error: unknown, at: S3Storage): FaultText {
  const code = failureName(error);
  const status = statusOf(error);
  const words = bucketInName(error, at) ?? (isTls(code) ? TLS : BY_CODE[code]) ?? wordsByStatus(status);
  return {
    plain: words.plain,
    detail: `${askedOf(error, at)} ${answerOf(error, code, status)}; ${words.advice}`,
    answered: wasAnswered(error) || error instanceof UnexpectedAnswer,
  };
}

/** The status of the store's answer; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Whether the store answered at all, to this one request: it won't answer the next one otherwise only because it is away. */
export function wasAnswered(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status < 500 && status !== 429;
}

function askedOf(error: unknown, at: S3Storage): string {
  const hostname = (error as { hostname?: unknown } | null)?.hostname;
  const host = typeof hostname === 'string' ? hostname : hostOf(at);
  return `${host}, asked about the bucket ${at.bucket},`;
}

function answerOf(error: unknown, code: string, status: number | undefined): string {
  if (error instanceof UnexpectedAnswer) return `answered otherwise than S3 does: ${error.message}`;
  if (status === undefined) return `gave no answer (${code})`;
  const name = /^(Unknown(Error)?|\d+)$/.test(code) ? 'without a code' : code;
  const region = regionOf(error);
  return `answered ${status} ${name}${region === null ? '' : ` (the bucket's region is ${region})`}`;
}

/** The region that a store says its bucket is in, where it does. */
function regionOf(error: unknown): string | null {
  const said = error as { Region?: unknown; $response?: { headers?: Record<string, unknown> } } | null;
  const region = said?.Region ?? said?.$response?.headers?.['x-amz-bucket-region'];
  return typeof region === 'string' ? region.replace(/[^A-Za-z0-9-]/g, '').slice(0, 32) : null;
}

/** The SDK asks `bucket.host` unless it is told otherwise, a name that many stores don't have. */
function bucketInName(error: unknown, at: S3Storage): Words | null {
  const missing = ['ENOTFOUND', 'EAI_AGAIN'].includes(failureName(error));
  if (!missing || at.forcePathStyle || at.endpoint === null) return null;
  return {
    plain: AWAY.plain,
    advice: `there is no such name as ${at.bucket}.${new URL(at.endpoint).hostname}: set S3_FORCE_PATH_STYLE=true, unless S3_ENDPOINT itself is wrong`,
  };
}

function isTls(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_|UNABLE_TO_)/.test(code);
}

/** For an operator. */
export function placeOf(at: S3Storage): string {
  const under = at.prefix === '' ? '' : ` under ${at.prefix}/`;
  return `${hostOf(at)}, bucket ${at.bucket}${under}`;
}

function hostOf(at: S3Storage): string {
  return at.endpoint === null ? `Amazon S3 in ${at.region}` : new URL(at.endpoint).host;
}
