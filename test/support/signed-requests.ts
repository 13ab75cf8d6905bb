import type { IncomingMessage } from 'node:http';

const MOST_SKEW_MS = 15 * 60_000;

/** Why a request is refused for its date, as status and code; null: it is in time. Signatures are not checked. */
export function signedRefusal(
  request: IncomingMessage,
  query: URLSearchParams,
  now: number,
): readonly [number, string] | null {
  const presigned = query.has('X-Amz-Signature');
  const { authorization } = request.headers;
  if (!presigned) {
    const skew = Math.abs(instantOf(request.headers['x-amz-date']) - now);
    return skew <= MOST_SKEW_MS ? null : [403, 'RequestTimeTooSkewed'];
  }
  if (authorization !== undefined) return [400, 'InvalidArgument'];
  const signedAt = instantOf(query.get('X-Amz-Date'));
  const lifeS = Number(query.get('X-Amz-Expires'));
  if (!(lifeS >= 1 && lifeS <= 604_800)) return [400, 'AuthorizationQueryParametersError'];
  const isValid = signedAt - MOST_SKEW_MS <= now && signedAt + lifeS * 1_000 > now;
  return isValid ? null : [403, 'AccessDenied'];
}

function instantOf(amzDate: string | string[] | null | undefined): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(amzDate)) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The headers that a presigned address asks the answer to have. */
export function wantedHeaders(query: URLSearchParams): Record<string, string> {
  const wanted: Record<string, string> = {};
  for (const name of ['content-type', 'content-disposition', 'cache-control']) {
    const value = query.get(`response-${name}`);
    if (value !== null) wanted[name] = value;
  }
  return wanted;
}
