import type { IncomingMessage } from 'node:http';

/** Why a request to a presigned address is refused, as status and code; null: it is in time, or is none. */
export function presignedRefusal(
  request: IncomingMessage,
  query: URLSearchParams,
): readonly [number, string] | null {
  const signed = query.get('X-Amz-Signature');
  if (signed === null) return null;
  if (request.headers.authorization !== undefined) return [400, 'InvalidArgument'];
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '') ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const lifeS = Number(query.get('X-Amz-Expires'));
  if (!(lifeS >= 1 && lifeS <= 604_800)) return [400, 'AuthorizationQueryParametersError'];
  return signedAt + lifeS * 1_000 > Date.now() ? null : [403, 'AccessDenied'];
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
