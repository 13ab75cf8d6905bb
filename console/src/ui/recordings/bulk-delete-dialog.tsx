import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BulkDeletion } from '../../api/contract.js';
import { messageOf } from '../../api/graphql.js';
import { countWords } from '../../words.js';
import { useDesk } from '../desk-context.js';
import { FormDialog } from '../form-dialog.js';

interface Props {
  ids: readonly string[];
  onDeleted: () => void;
  onClosed: () => void;
}

/** Says first what would be deleted and what would not. */
export function BulkDeleteDialog({ ids, onDeleted, onClosed }: Props) {
  const { deletions } = useDesk();
  const run = async (): Promise<void> => {
    await deletions.start(ids);
    onDeleted();
  };
  return (
    <FormDialog
      title={`Delete ${countWords(ids.length, 'recording')}?`}
      submit="Delete them"
      submitClass="danger"
      cancel="Keep"
      run={run}
      onClosed={onClosed}
    >
      <DryRun ids={ids} />
    </FormDialog>
  );
}

function DryRun({ ids }: { ids: readonly string[] }) {
  const { deletions } = useDesk();
  const result = useSignal<BulkDeletion | null>(null);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    deletions.dryRun(ids).then(
      (run) => (result.value = run),
      (error: unknown) => (problem.value = messageOf(error)),
    );
  }, []);
  if (problem.value !== null) return <p class="error-text">{problem.value}</p>;
  if (!result.value) return <p class="muted">Looking what would be deleted…</p>;
  const { deletedCount, failedCount, failures } = result.value;
  return (
    <>
      <p data-dry-run={deletedCount}>
        <strong>{countWords(deletedCount, 'recording')}</strong> and their media would be deleted for good.
        {failedCount > 0 && ` ${failedCount} would stay:`}
      </p>
      <ul class="plain small">
        {failures.slice(0, 5).map(({ recordingId, message }) => (
          <li key={recordingId}>{message}</li>
        ))}
      </ul>
    </>
  );
}
