import type { EncodingPreset, RecordingLayout, StartInput } from './api/contract.js';

/** The start form as it stands; empty texts mean the room's own setting. */
export interface StartForm {
  readonly audioOnly: boolean;
  readonly layout: RecordingLayout | '';
  readonly preset: EncodingPreset | '';
  readonly maxMinutes: string;
  /** One `name: value` or `name=value` per line. */
  readonly labels: string;
}

export function toStartInput(roomId: string, form: StartForm): StartInput {
  const labels = parseLabels(form.labels);
  return {
    roomId,
    audioOnly: form.audioOnly,
    ...(!form.audioOnly && form.layout !== '' && { layout: form.layout }),
    ...(!form.audioOnly && form.preset !== '' && { preset: form.preset }),
    ...(form.maxMinutes !== '' && { maxDurationMs: Math.round(Number(form.maxMinutes) * 60_000) }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}

export function parseLabels(text: string): Record<string, string> {
  const pairs = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.search(/[:=]/);
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
  return Object.fromEntries(pairs) as Record<string, string>;
}

/**
 * Gives equal inputs one idempotency key until the outcome is known, so that pressing the button again after a lost
 * answer starts nothing twice, and pressing it after a refusal is a new attempt.
 */
export class StartKeys {
  private pending: { input: string; key: string } | null = null;

  keyFor(input: StartInput): string {
    const text = JSON.stringify(input);
    if (this.pending?.input !== text) this.pending = { input: text, key: randomKey() };
    return this.pending.key;
  }

  outcomeKnown(): void {
    this.pending = null;
  }
}

/** Not `randomUUID`: browsers offer that on https and localhost alone. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}
