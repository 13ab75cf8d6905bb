import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Recording } from '../../api/contract.js';
import { isNarrowed, readQuery } from '../../state/list-query.js';
import { place } from '../../state/place.js';
import { RecordingList } from '../../state/recording-list.js';
import { DeleteRecordingDialog } from '../delete-recording-dialog.js';
import { useDesk } from '../desk-context.js';
import { Link } from '../link.js';
import { NowPanel } from '../now-panel.js';
import { BulkDeleteDialog } from './bulk-delete-dialog.js';
import { RecordingsTable } from './recordings-table.js';
import { SelectionBar } from './selection-bar.js';
import { Toolbar } from './toolbar.js';

export function RecordingsPage() {
  const desk = useDesk();
  const address = place.value.search.toString();
  const list = useMemo(
    () => new RecordingList(desk, readQuery(new URLSearchParams(address))),
    [desk, address],
  );
  useEffect(() => () => list.close(), [list]);
  const doomed = useSignal<Recording | 'selection' | null>(null);
  return (
    <>
      <h1 class="unseen">Recordings</h1>
      <NowPanel />
      <section class="recordings" aria-label="Recordings" tabIndex={-1}>
        <Toolbar list={list} />
        <SelectionBar list={list} onDelete={() => (doomed.value = 'selection')} />
        {list.problem.value !== null && (
          <p class="trouble" role="alert">
            {list.problem.value}
          </p>
        )}
        <RecordingsTable list={list} onDelete={(recording) => (doomed.value = recording)} />
        <Empty list={list} />
      </section>
      {doomed.value === 'selection' && (
        <BulkDeleteDialog
          ids={[...list.selected.value]}
          onDeleted={() => list.select([...list.selected.value], false)}
          onClosed={() => (doomed.value = null)}
        />
      )}
      {doomed.value !== null && doomed.value !== 'selection' && (
        <DeleteRecordingDialog recording={doomed.value} onClosed={() => (doomed.value = null)} />
      )}
    </>
  );
}

function Empty({ list }: { list: RecordingList }) {
  const desk = useDesk();
  if (list.rows.value === null && list.problem.value === null) return <p class="empty">Loading…</p>;
  if (list.rows.value?.length !== 0) return null;
  if (isNarrowed(list.query)) {
    return (
      <p class="empty">
        No recording matches. <Link to="">Show all</Link>
      </p>
    );
  }
  return (
    <p class="empty">
      There are no recordings yet. {desk.may('start') && <Link to="rooms">Record a room</Link>}
    </p>
  );
}
