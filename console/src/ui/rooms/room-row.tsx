import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { ApiError } from '../../api/graphql.js';
import type { SeenRoom } from '../../state/rooms.js';
import { StartKeys } from '../../start-form.js';
import { countWords, kindWords, spanWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { Icon } from '../icon.js';
import { Link } from '../link.js';
import { Menu } from '../menu.js';
import { Clock } from '../now-panel.js';
import { Status } from '../status.js';
import { DeleteRoomDialog } from './delete-room-dialog.js';
import { SettingsDialog } from './settings-dialog.js';
import { StartDialog } from './start-dialog.js';

interface Props {
  room: SeenRoom;
  onChanged: () => void;
}

export function RoomRow({ room, onChanged }: Props) {
  const desk = useDesk();
  const dialog = useSignal<'start' | 'settings' | 'delete' | null>(null);
  const { id, name, known, recordingSettings } = room;
  const running = desk.recordingIn(id);
  const close = (): void => {
    dialog.value = null;
  };
  return (
    <li class="room-row" data-room={id} data-tally={running?.status ?? 'OFF'} tabIndex={-1}>
      <div class="room-name">
        <h3>
          <Link to={`?room=${encodeURIComponent(id)}`}>{name}</Link>
        </h3>
        <p class="small muted">
          {name !== id && <code>{id}</code>} {!known && 'not made here'}
        </p>
      </div>
      <p class="small room-state">
        <RoomState room={room} />
        <br />
        <span class="muted">
          {recordingSettings.enabled ? kindWords(recordingSettings) : 'Recording is switched off'}
          {recordingSettings.maxDurationMs !== null &&
            `, at most ${spanWords(recordingSettings.maxDurationMs)}`}
          {recordingSettings.retentionDays !== null &&
            `, kept ${countWords(recordingSettings.retentionDays, 'day')}`}
        </span>
      </p>
      <p class="tally">
        {running && (
          <Link to={running.id}>
            <Status recording={running} isKnown={desk.isKnown.value} /> <Clock recording={running} />
          </Link>
        )}
      </p>
      <span class="buttons">
        {desk.may('start') && (
          <RecordButtons
            room={room}
            isRunning={running !== null}
            onOptions={() => (dialog.value = 'start')}
          />
        )}
        {running && desk.may('start') && (
          <ActionButton
            class="stop"
            aria-label={`Stop recording ${name}`}
            disabled={running.status === 'ENDING'}
            action={() => desk.stop(running)}
          >
            Stop
          </ActionButton>
        )}
        <Menu label={`More for ${name}`} button={<Icon name="more" />} class="end">
          <Link to={`?room=${encodeURIComponent(id)}`}>Its recordings</Link>
          {desk.may('administer') && (
            <button type="button" onClick={() => (dialog.value = 'settings')}>
              Settings…
            </button>
          )}
          {desk.may('administer') && known && (
            <button type="button" class="dangerous" onClick={() => (dialog.value = 'delete')}>
              Delete room…
            </button>
          )}
        </Menu>
      </span>
      {dialog.value === 'start' && <StartDialog room={room} onClosed={close} />}
      {dialog.value === 'settings' && <SettingsDialog room={room} onDone={onChanged} onClosed={close} />}
      {dialog.value === 'delete' && <DeleteRoomDialog room={room} onDone={onChanged} onClosed={close} />}
    </li>
  );
}

interface RecordProps {
  room: SeenRoom;
  isRunning: boolean;
  onOptions: () => void;
}

/** Offered where it can work: in a room that is open, or may be, and where nothing is recorded yet. */
function RecordButtons({ room, isRunning, onOptions }: RecordProps) {
  const desk = useDesk();
  const keys = useMemo(() => new StartKeys(), []);
  if (isRunning || !room.recordingSettings.enabled || (!room.live && !room.liveUnknown)) return null;
  const start = async (): Promise<void> => {
    const input = { roomId: room.id };
    try {
      await desk.start(input, keys.keyFor(input));
      keys.outcomeKnown();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'UNREACHABLE')) keys.outcomeKnown();
      throw error;
    }
  };
  return (
    <>
      <button
        type="button"
        class="quiet options"
        aria-label={`Options for recording ${room.name}`}
        onClick={onOptions}
      >
        Options…
      </button>
      <ActionButton class="record" aria-label={`Record ${room.name}`} action={start}>
        <span class="lamp" aria-hidden="true" /> Record
      </ActionButton>
    </>
  );
}

function RoomState({ room }: { room: SeenRoom }) {
  if (room.liveUnknown) return <span class="unknown-text">Whether it is open is not known</span>;
  if (!room.live) return <span class="muted">Not open</span>;
  const { numParticipants, numPublishers } = room.live;
  return (
    <span>
      {countWords(numParticipants, 'participant')}, {numPublishers} publishing
    </span>
  );
}
