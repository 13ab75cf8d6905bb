import { isInProgress, type HistoryStep, type RecordingDetail } from '../../api/contract.js';
import { causeWords } from '../../why.js';
import { outcomeOf, plainWords, preciseInstant, spanWords, stepInstant } from '../../words.js';
import { useDesk } from '../desk-context.js';
import { Mark } from '../status.js';

/** Every change of a recording, with how long each phase took and what caused it. */
export function Timeline({ recording }: { recording: RecordingDetail }) {
  const { asOf } = useDesk();
  const steps = recording.history.nodes;
  const end = isInProgress(recording) ? asOf.value : null;
  return (
    <section class="panel timeline">
      <h2>Timeline</h2>
      <Phases steps={steps} end={end} />
      <ol class="plain steps">
        {steps.map((step, n) => (
          <Step
            key={step.recording.version}
            step={step}
            before={steps[n - 1]}
            next={steps[n + 1]?.at ?? null}
            end={end}
          />
        ))}
      </ol>
      {recording.history.pageInfo.hasNextPage && (
        <p class="small muted">The first hundred steps are shown.</p>
      )}
    </section>
  );
}

interface StepProps {
  step: HistoryStep;
  before: HistoryStep | undefined;
  next: string | null;
  end: number | null;
}

function Step({ step, before, next, end }: StepProps) {
  const { at, cause, recording: then } = step;
  const until = next === null ? end : Date.parse(next);
  const { tone } = outcomeOf(then);
  return (
    <li class={`step ${step.type === 'UPDATED' ? 'off' : tone}`}>
      <span class="step-mark">{step.type !== 'UPDATED' && <Mark tone={tone} />}</span>
      <time class="digits" dateTime={at} title={preciseInstant(at)}>
        {stepInstant(at)}
      </time>
      <span>
        <strong>{stepWords(step, before)}</strong> <span class="muted">{causeWords(cause)}</span>
      </span>
      <span class="digits muted">{until !== null && spanWords(until - Date.parse(at))}</span>
    </li>
  );
}

function stepWords({ type, recording: then }: HistoryStep, before: HistoryStep | undefined): string {
  if (type === 'REQUESTED') return 'Requested';
  if (type === 'DELETED') return 'Deleted';
  if (type === 'STATUS_CHANGED') {
    const { word, why } = outcomeOf(then);
    return why === '' ? word : `${word}: ${why}`;
  }
  const was = before?.recording;
  if (then.egressId !== null && was?.egressId !== then.egressId)
    return `LiveKit accepted the start (${then.egressId})`;
  if (then.error !== null && was?.error !== then.error) return then.error;
  if (then.endReason !== null && was?.endReason !== then.endReason)
    return `Reason: ${outcomeOf(then).why || plainWords(then.endReason)}`;
  return 'Facts were added';
}

/** How long it was starting, recording and ending, side by side. */
function Phases({ steps, end }: { steps: readonly HistoryStep[]; end: number | null }) {
  const phases = steps
    .filter(({ type }) => type !== 'UPDATED')
    .map((step, n, all) => {
      const next = all[n + 1]?.at;
      const until = next === undefined ? end : Date.parse(next);
      return {
        status: step.recording.status,
        ms: until === null ? 0 : Math.max(0, until - Date.parse(step.at)),
      };
    })
    .filter(({ status, ms }) => ms > 0 && ['STARTING', 'ACTIVE', 'ENDING'].includes(status));
  if (phases.length === 0) return null;
  return (
    <div class="phases">
      {phases.map(({ status, ms }) => (
        <div
          key={status}
          class={`phase ${status.toLowerCase()}`}
          style={{ flexGrow: Math.max(1, Math.sqrt(ms)) }}
        >
          <span>{status === 'ACTIVE' ? 'Recording' : plainWords(status)}</span>{' '}
          <span class="digits">{spanWords(ms)}</span>
        </div>
      ))}
    </div>
  );
}
