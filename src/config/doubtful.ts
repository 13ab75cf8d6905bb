import type { Config } from './config.js';

/** LiveKit asks its egress workers for 18 to 27 s before it says that none is there. */
const NO_WORKER_ANSWER_MS = 27_000;

/** What is valid in this configuration, and hardly meant. */
export function doubtful(
  config: Pick<Config, 'role' | 'publicUrl' | 'isPublicUrlSet' | 'development' | 'livekitStartTimeoutMs'>,
): { readonly event: string; readonly message: string }[] {
  const { role, publicUrl, isPublicUrlSet, development, livekitStartTimeoutMs } = config;
  if (development) return [];
  const warnings: { event: string; message: string }[] = [];
  if (!isPublicUrlSet && role !== 'worker') {
    const message = `PUBLIC_URL is not set: links that are handed out begin with ${publicUrl}`;
    warnings.push({ event: 'no_public_url', message });
  }
  if (livekitStartTimeoutMs < NO_WORKER_ANSWER_MS) {
    const message =
      `LIVEKIT_START_TIMEOUT is shorter than the ${NO_WORKER_ANSWER_MS / 1_000} s that LiveKit may take to answer that no ` +
      'egress worker accepted a start: the reason of such a start is then unknown. Set it to 30s or more';
    warnings.push({ event: 'start_timeout_too_short', message });
  }
  return warnings;
}
