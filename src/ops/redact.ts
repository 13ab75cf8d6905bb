import type { Config } from '../config/config.js';
import { parseUrl, percentDecoded } from '../kernel/url.js';

const HIDDEN = '[hidden]';

/** What a secret looks like, wherever it comes from: a JWT, one of our API keys, a token in an address or in the path of a share link, credentials in an address. */
const SHAPES: readonly [RegExp, string][] = [
  // Also what is left of one that was cut.
  [/eyJ[\w-]{8,}(?:\.[\w-]*){0,2}/g, HIDDEN],
  [/\bwhsec_[\w+/=-]{8,}/g, HIDDEN],
  [/\btl_[\w-]{8,}/g, HIDDEN],
  [/(\/s\/)[\w-]{16,}/g, `$1${HIDDEN}`],
  [/([?&]token=)[^&\s"\\]+/g, `$1${HIDDEN}`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:@/"\\]{0,256}):[^\s@/"\\]{1,1024}@/gi, `$1:${HIDDEN}@`],
];

/**
 * Makes a finished log line safe to keep. It works on the text, not on known fields, because a secret that leaks
 * does so in the message of somebody else's error.
 */
export function redactor(config: Config): (line: string) => string {
  const secrets = [
    config.adminKey,
    ...config.secrets,
    config.livekit.apiSecret,
    ...config.livekit.furtherKeys.map(({ apiSecret }) => apiSecret),
    ...(config.storage.kind === 's3' && config.storage.credentials
      ? [config.storage.credentials.secretAccessKey]
      : []),
    ...passwordOf(config.redisUrl),
  ].filter((secret) => secret.length >= 6);
  return (line) => {
    let safe = line;
    for (const secret of secrets) safe = safe.replaceAll(secret, HIDDEN);
    for (const [shape, instead] of SHAPES) safe = safe.replace(shape, instead);
    return safe;
  };
}

function passwordOf(address: string): string[] {
  const password = parseUrl(address)?.password;
  return password ? [password, percentDecoded(password) ?? password] : [];
}
