import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isInProgress, type RecordingDetail } from '../../api/contract.js';
import { RECORDING } from '../../api/documents.js';
import { ApiError } from '../../api/graphql.js';
import { go, place } from '../../state/place.js';
import { kindWords, labelWords } from '../../words.js';
import { whyEnded } from '../../why.js';
import { ActionButton } from '../action-button.js';
import { copy } from '../copy.js';
import { DeleteRecordingDialog } from '../delete-recording-dialog.js';
import { useDesk } from '../desk-context.js';
import { download } from '../download.js';
import { Icon } from '../icon.js';
import { Link } from '../link.js';
import { Menu } from '../menu.js';
import { Clock } from '../now-panel.js';
import { ErrorText } from '../notices.js';
import { Status } from '../status.js';
import { When } from '../time.js';
import { Commands } from './commands.js';
import { Coverage } from './coverage.js';
import { Facts } from './facts.js';
import { Meeting, useMeeting } from './meeting.js';
import { LivePlayer, NotYet } from './live-player.js';
import { Player, type PlayerProps } from './player.js';
import { ShareLinks } from './share-links.js';
import { Timeline } from './timeline.js';

/** One recording, at its own address. */
export function RecordingPage() {
  const id = place.value.path;
  const { recording, problem } = useRecording(id);
  const meeting = useMeeting(recording);
  const playing = useSignal(id);
  if (problem && !recording) {
    return (
      <section class="empty">
        <h1>This recording can't be shown</h1>
        <ErrorText code={problem.code} message={problem.message} />
        <Link to="">See the recordings</Link>
      </section>
    );
  }
  if (!recording) return <p class="empty">Loading…</p>;
  return (
    <article class="recording-page" data-recording={recording.id} data-status={recording.status}>
      <Head recording={recording} />
      <div class="columns">
        <div class="stack">
          <Media recording={recording} meeting={meeting} playing={playing} />
          <Meeting recording={recording} meeting={meeting} playing={playing} />
          <Why recording={recording} />
          <Timeline recording={recording} />
          <Coverage recording={recording} since={meeting[0]?.requestedAt ?? recording.requestedAt} />
        </div>
        <div class="stack">
          <Facts recording={recording} />
          <ShareLinks recording={recording} />
          <Commands recording={recording} />
        </div>
      </div>
    </article>
  );
}

/** Read again whenever an event tells of a change; a deleted one leads back to the list. */
function useRecording(id: string) {
  const desk = useDesk();
  const recording = useSignal<RecordingDetail | null>(null);
  const problem = useSignal<ApiError | null>(null);
  const read = async (): Promise<void> => {
    try {
      const { data, errors } = await desk.api.askPartly(RECORDING, { id });
      if (!data.recording)
        throw errors[0] ?? new ApiError('RECORDING_NOT_FOUND', `there is no recording ${id}`);
      if ((recording.value?.version ?? 0) <= data.recording.version) recording.value = data.recording;
      problem.value = null;
    } catch (error) {
      problem.value = error instanceof ApiError ? error : new ApiError('INTERNAL', String(error));
    }
  };
  useEffect(() => {
    void read();
    return desk.on((event) => {
      if (event.recording.id !== id) return;
      if (event.type === 'DELETED') go('', { replace: true });
      else void read();
    });
  }, [id]);
  return { recording: recording.value, problem: problem.value };
}

function Head({ recording }: { recording: RecordingDetail }) {
  const desk = useDesk();
  const isDeleting = useSignal(false);
  const { id, roomName, roomId, requestedAt } = recording;
  const running = isInProgress(recording);
  return (
    <header class="page-head">
      <div>
        <p class="small">
          <Link to="">Recordings</Link> <span class="muted">/</span>{' '}
          <Link to={`?room=${encodeURIComponent(roomId)}`}>{roomId}</Link>
        </p>
        <h1>{roomName}</h1>
        <p class="row wrap">
          <Status recording={recording} isKnown={desk.isKnown.value} />
          {running && <Clock recording={recording} />}
          <span class="muted">
            <When at={requestedAt} /> · {kindWords(recording)}
          </span>
          {labelWords(recording.labels).map((text) => (
            <Link key={text} to={`?labels=${encodeURIComponent(text.replace(': ', ':'))}`} class="label">
              {text}
            </Link>
          ))}
        </p>
        <Chain recording={recording} />
      </div>
      <div class="buttons">
        {running && desk.may('start') && (
          <ActionButton
            class="stop"
            disabled={recording.status === 'ENDING'}
            action={() => desk.stop(recording)}
          >
            Stop recording
          </ActionButton>
        )}
        {recording.mediaPath !== null && (
          <ActionButton action={() => download(desk.api, recording)}>Download</ActionButton>
        )}
        <Menu label="More actions" button={<Icon name="more" />} class="end">
          <button type="button" onClick={() => copy(id, 'The id')}>
            Copy id
          </button>
          <button type="button" onClick={() => copy(location.href, 'The link')}>
            Copy link
          </button>
          {!running && desk.may('delete') && (
            <button type="button" class="dangerous" onClick={() => (isDeleting.value = true)}>
              Delete…
            </button>
          )}
        </Menu>
      </div>
      {isDeleting.value && (
        <DeleteRecordingDialog recording={recording} onClosed={() => (isDeleting.value = false)} />
      )}
    </header>
  );
}

/** The parts before and after, where a meeting was recorded further. */
function Chain({ recording: { continues, continuedBy } }: { recording: RecordingDetail }) {
  if (!continues && !continuedBy) return null;
  return (
    <p class="small row wrap">
      {continues && <Link to={continues.id}>← Earlier part of this meeting</Link>}
      {continuedBy && <Link to={continuedBy.id}>Later part of this meeting →</Link>}
    </p>
  );
}

function Media({ recording, meeting, playing }: PlayerProps) {
  const desk = useDesk();
  if (recording.mediaPath !== null)
    return <Player recording={recording} meeting={meeting} playing={playing} />;
  const running = isInProgress(recording);
  if (recording.status === 'ACTIVE' && desk.serves('Recording.livePath'))
    return <LivePlayer recording={recording} />;
  if (running) return <NotYet />;
  return (
    <div class="no-media">
      <p>There is no media: nothing was recorded, or it was lost.</p>
    </div>
  );
}

function Why({ recording }: { recording: RecordingDetail }) {
  const why = whyEnded(recording);
  if (!why) return null;
  const bad = recording.status === 'FAILED' || recording.status === 'ABORTED';
  return (
    <section class={`panel why ${bad && recording.endReason !== 'START_CANCELLED' ? 'bad' : ''}`}>
      <h2>Why it ended</h2>
      <p>{why.sentence}</p>
      {recording.error !== null && <p class="quote">{recording.error}</p>}
      {why.todo !== null && (
        <p>
          <strong>What to do:</strong> {why.todo}
        </p>
      )}
    </section>
  );
}
