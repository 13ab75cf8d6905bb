import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { type Finding, Examination, fault, note, ok } from './finding.js';

const SECOND = 1_000;
/** As LiveKit and its egress take them; what is shorter gives up on what is still coming. */
const LEAST = {
  browserStarts: 10 * SECOND,
  nobodyIsSaid: 25 * SECOND,
  stopOfAStart: 16 * SECOND,
};

/** Limits and grace periods that don't go together. */
@Injectable()
export class ExamineSettings extends Examination {
  readonly area = 'settings';

  constructor(private readonly config: Config) {
    super();
  }

  async examine(): Promise<Finding[]> {
    const { isPublicUrlSet, publicUrl } = this.config;
    const address = isPublicUrlSet
      ? ok('settings.public_url', publicUrl)
      : note(
          'settings.public_url',
          `PUBLIC_URL is not set: links that are handed out begin with ${publicUrl}`,
        );
    const wrong = this.gracePeriods();
    return [address, ...(wrong.length > 0 ? wrong : [ok('settings.grace_periods', 'they go together')])];
  }

  private gracePeriods(): Finding[] {
    const { recordingStartTimeoutMs, livekitStartTimeoutMs, livekitStopTimeoutMs } = this.config;
    const { orphanedLockGraceMs, recorderCheckEveryMs, staleAfterMs } = this.config;
    const found: Finding[] = [];
    const check = (isWrong: boolean, detail: string, fix: string): void => {
      if (isWrong) found.push(fault('settings.grace_periods', detail, fix));
    };
    check(
      recordingStartTimeoutMs < LEAST.browserStarts,
      `RECORDING_START_TIMEOUT is ${seconds(recordingStartTimeoutMs)}, and a recording with a browser takes up to 8 s to begin`,
      `set it to ${seconds(LEAST.browserStarts)} or more; 20s is the default`,
    );
    check(
      livekitStartTimeoutMs < LEAST.nobodyIsSaid,
      `LIVEKIT_START_TIMEOUT is ${seconds(livekitStartTimeoutMs)}, and LiveKit takes 24 s to say that no egress worker is there`,
      `set it to ${seconds(LEAST.nobodyIsSaid)} or more; 35s is the default`,
    );
    check(
      livekitStopTimeoutMs < LEAST.stopOfAStart,
      `LIVEKIT_STOP_TIMEOUT is ${seconds(livekitStopTimeoutMs)}, and LiveKit takes up to 15 s to answer the stop of a recording that begins`,
      `set it to ${seconds(LEAST.stopOfAStart)} or more; 20s is the default`,
    );
    check(
      orphanedLockGraceMs < livekitStartTimeoutMs,
      `ORPHANED_LOCK_GRACE (${seconds(orphanedLockGraceMs)}) is shorter than LIVEKIT_START_TIMEOUT (${seconds(livekitStartTimeoutMs)}): rooms are looked at whose start is still on its way`,
      'set ORPHANED_LOCK_GRACE to more than LIVEKIT_START_TIMEOUT; 1m is the default',
    );
    check(
      staleAfterMs < 3 * recorderCheckEveryMs,
      `STALE_AFTER (${seconds(staleAfterMs)}) is shorter than three of RECORDER_CHECK_EVERY (${seconds(recorderCheckEveryMs)}): recordings are looked into that have not yet been asked`,
      'set STALE_AFTER to three times RECORDER_CHECK_EVERY or more; 5m and 20s are the defaults',
    );
    return found;
  }
}

function seconds(ms: number): string {
  return `${ms / SECOND}s`;
}
