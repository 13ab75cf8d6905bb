import { countWords } from '../words.js';
import { ActionButton } from './action-button.js';
import { useDesk } from './desk-context.js';

/** The bulk deletion that is under way, also after the page was loaded again. */
export function DeletionProgress() {
  const { deletions } = useDesk();
  const run = deletions.current.value;
  if (!run) return null;
  const done = run.deletedCount + run.failedCount;
  const isOver = run.finishedAt !== null;
  const failed = run.failures.map(({ recordingId }) => recordingId);
  return (
    <section
      class={`panel progress-panel ${run.failedCount > 0 ? 'bad' : ''}`}
      aria-label="Deletion"
      data-deletion={run.status}
    >
      <div class="row">
        <p role="status">
          {isOver
            ? `Deleted ${run.deletedCount} of ${countWords(run.total, 'recording')}.`
            : `Deleting ${countWords(run.total, 'recording')}: ${done} done.`}
          {run.failedCount > 0 && ` ${run.failedCount} could not be deleted.`}
          {deletions.problem.value !== null && ` ${deletions.problem.value}`}
        </p>
        <span class="buttons">
          {isOver && failed.length > 0 && (
            <ActionButton action={() => deletions.start(failed)}>Try these again</ActionButton>
          )}
          {isOver && (
            <button type="button" class="quiet" onClick={() => deletions.dismiss()}>
              Dismiss
            </button>
          )}
        </span>
      </div>
      <progress max={Math.max(1, run.total)} value={done} aria-label="Recordings deleted" />
      {failed.length > 0 && (
        <ul class="plain small">
          {run.failures.slice(0, 10).map(({ recordingId, message }) => (
            <li key={recordingId}>
              <code>{recordingId}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
