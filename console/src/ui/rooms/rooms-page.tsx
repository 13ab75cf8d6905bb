import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { change, place } from '../../state/place.js';
import { RoomList, type SeenRoom } from '../../state/rooms.js';
import { countWords } from '../../words.js';
import { useDesk } from '../desk-context.js';
import { Icon } from '../icon.js';
import { NowPanel } from '../now-panel.js';
import { CreateRoomDialog } from './create-room-dialog.js';
import { RoomRow } from './room-row.js';

export function RoomsPage() {
  const desk = useDesk();
  const words = place.value.search.get('q') ?? '';
  const list = useMemo(() => new RoomList(desk, words), [desk, words]);
  useEffect(() => () => list.close(), [list]);
  const creating = useSignal(false);
  return (
    <>
      <h1 class="unseen">Rooms</h1>
      <NowPanel />
      <div class="toolbar">
        <div class="search-box">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Search rooms by name"
            placeholder="Room name"
            value={words}
            onInput={(event) => change({ q: event.currentTarget.value }, { replace: true })}
          />
        </div>
        {desk.may('administer') && (
          <button type="button" class="push" onClick={() => (creating.value = true)}>
            New room…
          </button>
        )}
      </div>
      {list.problem.value !== null && (
        <p class="trouble" role="alert">
          {list.problem.value}
        </p>
      )}
      <Part
        title="Open now"
        list={list}
        rooms={list.open.value}
        total={list.openTotal.value}
        empty="No room is open in LiveKit."
      />
      <Part
        title={list.problem.value === null ? 'Not open' : 'Known here'}
        list={list}
        rooms={list.closed.value}
        total={list.closedTotal.value}
        empty="No other room."
      />
      {(list.closed.value?.length ?? 0) < list.closedTotal.value && list.closed.value && (
        <button type="button" class="more-button" onClick={() => void list.more()}>
          Show more
        </button>
      )}
      {creating.value && (
        <CreateRoomDialog onDone={() => void list.read()} onClosed={() => (creating.value = false)} />
      )}
    </>
  );
}

interface PartProps {
  title: string;
  list: RoomList;
  rooms: readonly SeenRoom[] | null;
  total: number;
  empty: string;
}

function Part({ title, list, rooms, total, empty }: PartProps) {
  return (
    <section class="rooms" aria-label={title} tabIndex={-1}>
      <h2>
        {title} {rooms && <span class="muted small">{countWords(total, 'room')}</span>}
      </h2>
      {rooms === null && <p class="empty">Loading…</p>}
      {rooms?.length === 0 && <p class="empty">{empty}</p>}
      <ul class="plain room-rows">
        {rooms?.map((room) => (
          <RoomRow key={room.id} room={room} onChanged={() => void list.read()} />
        ))}
      </ul>
    </section>
  );
}
