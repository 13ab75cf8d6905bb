import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Recording, RecordingDetail } from '../../api/contract.js';
import { PART } from '../../api/documents.js';
import { stepsOf } from '../../meeting.js';
import { notify } from '../../state/notices.js';
import { countWords, lengthWords, spanWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { downloadArchive, MOST_IN_ARCHIVE } from '../download.js';
import { Link } from '../link.js';
import { BulkDeleteDialog } from '../recordings/bulk-delete-dialog.js';

/** More than any meeting is worth: what is beyond is reached by its own page. */
const MOST_PARTS = 100;

/** Every part of the meeting that a recording is one of, in order; the recording alone until the others were read. */
export function useMeeting(recording: RecordingDetail | null): readonly Recording[] {
  const desk = useDesk();
  const before = useSignal<readonly Recording[]>([]);
  const after = useSignal<readonly Recording[]>([]);
  const follow = async (next: 'continues' | 'continuedBy'): Promise<Recording[]> => {
    const found: Recording[] = [];
    let id = recording?.[next]?.id;
    while (id !== undefined && found.length < MOST_PARTS) {
      // One that was deleted meanwhile ends the chain here.
      const part: Recording | null = (await desk.api.askPartly(PART, { id })).data.recording;
      if (part === null) break;
      found.push(part);
      id = part[next]?.id;
    }
    return found;
  };
  const read = async (): Promise<void> => {
    const [earlier, later] = await Promise.all([follow('continues'), follow('continuedBy')]);
    before.value = earlier.toReversed();
    after.value = later;
  };
  useEffect(() => {
    if (!recording?.continues && !recording?.continuedBy) return;
    void read().catch(notify);
    return desk.on(({ recording: changed }) => {
      const known = [...before.value, ...after.value].some(({ id }) => id === changed.id);
      const goesOn = after.value.at(-1)?.id === changed.continues?.id;
      if (known || goesOn) void read().catch(notify);
    });
  }, [recording?.id, recording?.version]);
  return recording === null ? [] : [...before.value, recording, ...after.value];
}

interface Props {
  meeting: readonly Recording[];
  /** Whose page this is. */
  recording: RecordingDetail;
  /** The id of the part that the player of this page has. */
  playing: Signal<string>;
}

/** The whole meeting: its parts with what is missing between them, to be played, downloaded and deleted as one. */
export function Meeting({ meeting, recording, playing }: Props) {
  const desk = useDesk();
  const isDeleting = useSignal(false);
  if (meeting.length < 2) return null;
  const steps = stepsOf(meeting);
  const playable = meeting.filter(({ mediaPath }) => mediaPath !== null);
  const totalMs = playable.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
  const missingMs = steps.reduce((sum, step) => sum + (step.kind === 'gap' ? step.ms : 0), 0);
  const isOver = steps.every(({ kind }) => kind !== 'running');
  return (
    <section class="panel meeting">
      <h2>The whole meeting</h2>
      <p>
        Recorded in {countWords(meeting.length, 'part')}: {lengthWords(totalMs)} to play
        {missingMs > 0 && `, ${spanWords(missingMs)} missing`}.
      </p>
      <ol class="parts">
        {steps.map((step) =>
          step.kind === 'gap' ? (
            <li key={`gap-${step.ms}`} class="gap">
              {spanWords(step.ms)} missing{step.why && `: ${step.why}`}
            </li>
          ) : (
            <li key={step.recording.id}>
              <Part step={step} here={recording} playing={playing} />
            </li>
          ),
        )}
      </ol>
      <div class="buttons">
        {playable.length > 1 && playable.length <= MOST_IN_ARCHIVE && (
          <ActionButton action={() => downloadArchive(desk.api, playable)}>Download all parts</ActionButton>
        )}
        {isOver && desk.may('delete') && (
          <button type="button" class="dangerous" onClick={() => (isDeleting.value = true)}>
            Delete all parts…
          </button>
        )}
      </div>
      {isDeleting.value && (
        <BulkDeleteDialog
          ids={meeting.map(({ id }) => id)}
          onDeleted={() => undefined}
          onClosed={() => (isDeleting.value = false)}
        />
      )}
    </section>
  );
}

interface PartProps {
  step: Exclude<ReturnType<typeof stepsOf>[number], { kind: 'gap' }>;
  here: RecordingDetail;
  playing: Signal<string>;
}

/** Played in the player of this page where it has one, else on its own. */
function Part({ step: { kind, n, recording }, here, playing }: PartProps) {
  const { id, durationMs } = recording;
  const isHere = id === here.id;
  const name = `Part ${n}`;
  if (kind === 'running')
    return isHere ? <span>{name}, not over yet</span> : <Link to={id}>{name}, not over yet</Link>;
  const text = `${name}, ${lengthWords(durationMs ?? 0)}`;
  if (here.mediaPath === null) return <Link to={`${id}?play=1`}>Play {text}</Link>;
  return (
    <span class="row wrap">
      <button
        type="button"
        aria-current={playing.value === id ? 'true' : undefined}
        data-part={n}
        onClick={() => (playing.value = id)}
      >
        Play {text}
      </button>
      {!isHere && (
        <Link to={id} class="small">
          See part {n}
        </Link>
      )}
    </span>
  );
}
