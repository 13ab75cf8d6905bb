import { isInProgress, type Recording } from '../../api/contract.js';
import { change, hrefOf } from '../../state/place.js';
import type { RecordingList } from '../../state/recording-list.js';
import { labelWords, lengthWords, outcomeOf, sizeWords } from '../../words.js';
import { copy } from '../copy.js';
import { useDesk } from '../desk-context.js';
import { download } from '../download.js';
import { Icon } from '../icon.js';
import { Link } from '../link.js';
import { Menu } from '../menu.js';
import { Status } from '../status.js';
import { When } from '../time.js';

interface Props {
  list: RecordingList;
  recording: Recording;
  index: number;
  onDelete: () => void;
}

export function RecordingRow({ list, recording, index, onDelete }: Props) {
  const desk = useDesk();
  const { id, roomName, status, requestedAt, sizeBytes } = recording;
  const isSelected = list.selected.value.has(id);
  const isDeleted = list.deleted.value.has(id);
  const named = `${roomName}, ${new Date(requestedAt).toLocaleString()}`;
  return (
    <div
      role="row"
      class={`tr${isSelected ? ' selected' : ''}${isDeleted ? ' deleted' : ''}`}
      aria-rowindex={index}
      data-recording={id}
      data-status={isDeleted ? 'DELETED' : status}
      tabIndex={-1}
    >
      <span role="cell" class="pick">
        <label>
          <input
            type="checkbox"
            aria-label={`Select ${named}`}
            checked={isSelected}
            disabled={isInProgress(recording) || isDeleted}
            onChange={(event) => list.select([id], event.currentTarget.checked)}
          />
        </label>
      </span>
      <span role="cell" class="room">
        <Link to={id}>{roomName}</Link>
        <Chain recording={recording} />
      </span>
      <span role="cell" class="state">
        {isDeleted ? (
          <span class="status off">Deleted</span>
        ) : (
          <Status recording={recording} isKnown={desk.isKnown.value} />
        )}
        <span class="why">{outcomeOf(recording).why}</span>
      </span>
      <span role="cell" class="at">
        <When at={requestedAt} />
      </span>
      <span role="cell" class="length digits">
        <Length recording={recording} />
      </span>
      <span role="cell" class="size digits">
        {sizeBytes === null ? '' : sizeWords(sizeBytes)}
      </span>
      <span role="cell" class="labels">
        <Labels recording={recording} />
      </span>
      <span role="cell" class="acts">
        {recording.mediaPath !== null && !isDeleted && (
          <Link to={`${id}?play=1`} class="square" aria-label={`Play ${named}`}>
            <Icon name="play" />
          </Link>
        )}
        <Menu label={`More for ${named}`} button={<Icon name="more" />} class="end">
          <RowMenu recording={recording} onDelete={onDelete} />
        </Menu>
      </span>
    </div>
  );
}

function RowMenu({ recording, onDelete }: { recording: Recording; onDelete: () => void }) {
  const desk = useDesk();
  const { id, roomId, mediaPath } = recording;
  return (
    <>
      <Link to={id}>Open</Link>
      {mediaPath !== null && (
        <button type="button" onClick={() => void desk.attempt(() => download(desk.api, recording))}>
          Download
        </button>
      )}
      <button type="button" onClick={() => copy(hrefOf(id), 'The link')}>
        Copy link
      </button>
      <button type="button" onClick={() => copy(id, 'The id')}>
        Copy id
      </button>
      <button type="button" onClick={() => change({ room: roomId })}>
        Only this room
      </button>
      {isInProgress(recording) && desk.may('start') && (
        <button type="button" class="dangerous" onClick={() => void desk.stop(recording)}>
          Stop recording
        </button>
      )}
      {!isInProgress(recording) && desk.may('delete') && (
        <button type="button" class="dangerous" onClick={onDelete}>
          Delete…
        </button>
      )}
    </>
  );
}

/** That another recording comes before or after it in the same meeting. */
function Chain({ recording: { continues, continuedBy } }: { recording: Recording }) {
  if (!continues && !continuedBy) return null;
  const words = continues ? 'goes on from an earlier part' : 'goes on in a later part';
  return (
    <Link
      to={(continues ?? continuedBy)?.id ?? ''}
      class="chain"
      title={`This meeting ${words}`}
      aria-label={`This meeting ${words}`}
    >
      <Icon name="link" />
    </Link>
  );
}

function Length({ recording }: { recording: Recording }) {
  const { asOf } = useDesk();
  const { durationMs, status, startedAt } = recording;
  if (durationMs !== null && !isInProgress(recording)) return <>{lengthWords(durationMs)}</>;
  if (status === 'ACTIVE' && startedAt) return <>{lengthWords(asOf.value - Date.parse(startedAt))}</>;
  return null;
}

function Labels({ recording: { labels } }: { recording: Recording }) {
  const texts = labelWords(labels);
  return (
    <>
      {texts.slice(0, 2).map((text) => (
        <button
          key={text}
          type="button"
          class="label"
          title={`Only recordings with ${text}`}
          onClick={() => change({ labels: text.replace(': ', ':') })}
        >
          {text}
        </button>
      ))}
      {texts.length > 2 && (
        <span class="muted small" title={texts.join('\n')}>
          +{texts.length - 2}
        </span>
      )}
    </>
  );
}
