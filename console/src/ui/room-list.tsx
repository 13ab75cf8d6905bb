import { useSignal } from '@preact/signals';
import type { Recording } from '../api/contract.js';
import type { Desk } from '../state/desk.js';
import { now } from '../state/now.js';
import type { SeenRoom } from '../state/rooms.js';
import { lengthWords } from '../words.js';
import { CreateRoomDialog } from './create-room-dialog.js';
import { StartDialog } from './start-dialog.js';

export function RoomList({ desk }: { desk: Desk }) {
  const creating = useSignal(false);
  const { list, hasMore, problem } = desk.rooms.value;
  return (
    <section class="rooms" aria-labelledby="rooms-heading">
      <div class="section-head">
        <h2 id="rooms-heading">Rooms</h2>
        <button type="button" onClick={() => (creating.value = true)}>
          New room
        </button>
      </div>
      {problem !== null && (
        <p class="trouble" role="status">
          {problem}
        </p>
      )}
      {desk.ledger.value && list.length === 0 && (
        <p class="empty">No room yet. Make one with the id of the LiveKit room you want to record.</p>
      )}
      <ul class="plain">
        {list.map((room) => (
          <RoomCard key={room.id} desk={desk} room={room} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" class="more" onClick={() => void desk.moreRooms()}>
          More rooms
        </button>
      )}
      {creating.value && <CreateRoomDialog desk={desk} onClosed={() => (creating.value = false)} />}
    </section>
  );
}

function RoomCard({ desk, room }: { desk: Desk; room: SeenRoom }) {
  const starting = useSignal(false);
  const recording = desk.recordingIn(room.id);
  return (
    <li class="card room" data-room={room.id} data-tally={recording?.status ?? 'OFF'}>
      <div class="room-title">
        <h3>{room.name}</h3>
        <Tally recording={recording} />
      </div>
      <p class="muted small">
        {room.name !== room.id && <code>{room.id}</code>} <RoomState room={room} />
      </p>
      <div class="buttons">
        {recording ? (
          <StopButton desk={desk} recording={recording} />
        ) : (
          <button
            type="button"
            class="record"
            disabled={!room.recordingSettings.enabled}
            aria-label={`Record ${room.name}`}
            onClick={() => (starting.value = true)}
          >
            <span class="lamp" aria-hidden="true" /> Record…
          </button>
        )}
        {!room.recordingSettings.enabled && <span class="muted small">Recording is disabled here.</span>}
      </div>
      {starting.value && <StartDialog desk={desk} room={room} onClosed={() => (starting.value = false)} />}
    </li>
  );
}

export function StopButton({ desk, recording }: { desk: Desk; recording: Recording }) {
  const busy = useSignal(false);
  const stop = async (): Promise<void> => {
    busy.value = true;
    await desk.stop(recording);
    busy.value = false;
  };
  return (
    <button
      type="button"
      disabled={busy.value || recording.status === 'ENDING'}
      aria-label={`Stop recording ${recording.roomName}`}
      onClick={() => void stop()}
    >
      Stop
    </button>
  );
}

/** The red light. Its words say the same, for whom colour says nothing. */
function Tally({ recording }: { recording: Recording | null }) {
  if (!recording) return <span class="tally off">not recording</span>;
  return (
    <span class={`tally ${recording.status.toLowerCase()}`}>
      <span class="lamp" aria-hidden="true" />
      {recording.status === 'STARTING' && 'starting…'}
      {recording.status === 'ENDING' && 'ending…'}
      {recording.status === 'ACTIVE' && (
        <>
          REC <RunningFor since={recording.startedAt ?? recording.requestedAt} />
        </>
      )}
    </span>
  );
}

export function RunningFor({ since }: { since: string }) {
  return <span class="digits">{lengthWords(now.value - Date.parse(since))}</span>;
}

function RoomState({ room }: { room: SeenRoom }) {
  if (room.liveUnknown) return <span>live state unknown</span>;
  if (!room.live) return <span>not open</span>;
  const { numParticipants, numPublishers } = room.live;
  return (
    <span>
      open · {numParticipants} {numParticipants === 1 ? 'participant' : 'participants'}, {numPublishers}{' '}
      publishing
    </span>
  );
}
