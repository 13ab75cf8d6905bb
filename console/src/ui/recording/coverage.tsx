import { useSignal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import { useEffect } from 'preact/hooks';
import type { RecordingDetail } from '../../api/contract.js';
import { COVERAGE, RECOVERED } from '../../api/documents.js';
import { notify } from '../../state/notices.js';
import { reasonWords, spanWords, stepInstant } from '../../words.js';
import { useDesk } from '../desk-context.js';

type Covered = NonNullable<ResultOf<typeof COVERAGE>['recording']>;

interface Props {
  recording: RecordingDetail;
  /** When the first part of the meeting was asked for. */
  since: string;
}

/** What of the meeting, up to the end of this recording, is in the media, drawn with its gaps; nothing where the server or nobody knows. */
export function Coverage({ recording, since }: Props) {
  const desk = useDesk();
  const found = useSignal<Covered | null>(null);
  const recovered = useSignal(false);
  useEffect(() => {
    const { id } = recording;
    desk.api.ask(COVERAGE, { id }).then((answer) => (found.value = answer.recording), notify);
    if (!desk.serves('Recording.recovered')) return;
    desk.api
      .ask(RECOVERED, { id })
      .then((answer) => (recovered.value = answer.recording?.recovered ?? false), notify);
  }, [recording.id, recording.version]);
  const covered = found.value;
  if (!covered?.coverage) return null;
  const { expectedMs, coveredMs, gaps } = covered.coverage;
  const share = expectedMs > 0 ? Math.min(100, (coveredMs / expectedMs) * 100) : 100;
  const from = Date.parse(since);
  return (
    <section class="panel coverage">
      <h2>Coverage</h2>
      <p>
        {share.toFixed(share > 99 && share < 100 ? 2 : 0)} % of the {spanWords(expectedMs)} in which somebody
        published is in the media.
        {recovered.value && ' The file was put together from segments.'}
      </p>
      <div class="cover-bar" role="img" aria-label={`${share.toFixed(0)} % covered, ${gaps.length} gaps`}>
        {gaps.map((gap) => (
          <span
            key={gap.from}
            class="gap"
            title={reasonWords(gap.cause)}
            style={{
              left: `${percent(Date.parse(gap.from) - from, expectedMs)}%`,
              width: `max(3px, ${percent(Date.parse(gap.to) - Date.parse(gap.from), expectedMs)}%)`,
            }}
          />
        ))}
      </div>
      <ul class="plain small">
        {gaps.map((gap) => (
          <li key={gap.from}>
            <span class="digits">{stepInstant(gap.from)}</span>:{' '}
            {spanWords(Date.parse(gap.to) - Date.parse(gap.from))} missing, {reasonWords(gap.cause)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function percent(ms: number, of: number): number {
  return of > 0 ? Math.max(0, Math.min(100, (ms / of) * 100)) : 0;
}
