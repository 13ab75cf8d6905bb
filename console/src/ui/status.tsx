import type { Recording } from '../api/contract.js';
import { outcomeOf, type Tone } from '../words.js';
import { Icon } from './icon.js';

const ICONS = { good: 'check', warn: 'warn', bad: 'cross', off: 'dash' } as const;

interface Props {
  recording: Pick<Recording, 'status' | 'endReason'>;
  /** False: it was so when it was last known. */
  isKnown: boolean;
}

/** A recording's status, told by word, shape and colour; hatched while it isn't known whether it is still so. */
export function Status({ recording, isKnown }: Props) {
  const { word, tone } = outcomeOf(recording);
  const isOpen = tone === 'live' || tone === 'wait';
  return (
    <span class={`status ${tone}${isOpen && !isKnown ? ' unknown' : ''}`}>
      <Mark tone={tone} /> {word}
    </span>
  );
}

export function Mark({ tone }: { tone: Tone }) {
  return tone === 'live' || tone === 'wait' ? (
    <span class="lamp" aria-hidden="true" />
  ) : (
    <Icon name={ICONS[tone]} />
  );
}
