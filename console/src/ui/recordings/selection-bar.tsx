import { MOST_SELECTED, type RecordingList } from '../../state/recording-list.js';
import { countWords, sizeWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { downloadArchive, MOST_IN_ARCHIVE } from '../download.js';

interface Props {
  list: RecordingList;
  onDelete: () => void;
}

/** What can be done with all that are selected; it lies over the page, so that no row moves when it comes. */
export function SelectionBar({ list, onDelete }: Props) {
  const desk = useDesk();
  const count = list.selected.value.size;
  if (count === 0) return null;
  const rows = list.selectedRows.value;
  const bytes = rows.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const playable = rows.filter(({ mediaPath }) => mediaPath !== null);
  const total = list.total.value ?? Infinity;
  return (
    <div class="selection" role="region" aria-label="Selection" tabIndex={-1}>
      <p role="status">
        <strong>{countWords(count, 'recording')}</strong> selected{bytes > 0 && `, ${sizeWords(bytes)}`}
      </p>
      {count < Math.min(total, MOST_SELECTED) && (
        <ActionButton class="quiet" action={() => list.selectAll()}>
          {total > MOST_SELECTED
            ? `Select the first ${MOST_SELECTED} that match`
            : `Select all ${total} that match`}
        </ActionButton>
      )}
      <span class="buttons">
        {playable.length > 0 && playable.length <= MOST_IN_ARCHIVE && (
          <ActionButton action={() => downloadArchive(desk.api, playable)}>Download as ZIP</ActionButton>
        )}
        {desk.may('delete') && (
          <button type="button" class="dangerous" onClick={onDelete}>
            Delete…
          </button>
        )}
        <button type="button" class="quiet" onClick={() => list.select([...list.selected.value], false)}>
          Clear
        </button>
      </span>
    </div>
  );
}
