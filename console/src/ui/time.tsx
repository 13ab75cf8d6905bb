import { now } from '../state/now.js';
import { agoWords, dateWords, exactWords, preciseInstant } from '../words.js';

interface Props {
  at: string;
}

/** `5 min ago`, with the whole instant and its zone on hover. */
export function Ago({ at }: Props) {
  return (
    <time dateTime={at} title={preciseInstant(at)}>
      {agoWords(at, now.value)}
    </time>
  );
}

/** `14:05:09`, with the day where it is another, and the whole instant and its zone on hover. */
export function Instant({ at }: Props) {
  return (
    <time dateTime={at} title={preciseInstant(at)}>
      {exactWords(at, now.value)}
    </time>
  );
}

/** `yesterday, 14:05`, with the whole instant and its zone on hover. */
export function When({ at }: Props) {
  return (
    <time dateTime={at} title={`${preciseInstant(at)} (${agoWords(at, now.value)})`}>
      {dateWords(at, now.value)}
    </time>
  );
}
