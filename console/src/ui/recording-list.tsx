import { ENDED, IN_PROGRESS } from '../api/contract.js';
import type { Desk } from '../state/desk.js';
import type { ListFilter } from '../state/ledger.js';
import { Choice } from './choice.js';
import { RecordingRow } from './recording-row.js';

const STATUS_CHOICES = {
  all: { words: 'All', statuses: null },
  running: { words: 'In progress', statuses: IN_PROGRESS },
  ended: { words: 'Ended', statuses: ENDED },
  failed: { words: 'Failed or aborted', statuses: ['FAILED', 'ABORTED'] },
} as const satisfies Record<string, { words: string; statuses: ListFilter['statuses'] }>;
type StatusChoice = keyof typeof STATUS_CHOICES;
const CHOICES = Object.keys(STATUS_CHOICES) as StatusChoice[];

export function RecordingList({ desk }: { desk: Desk }) {
  const list = desk.list.value;
  const ledger = desk.ledger.value;
  return (
    <section class="recordings" aria-labelledby="recordings-heading">
      <div class="section-head">
        <h2 id="recordings-heading">
          Recordings {ledger?.total != null && <span class="count">{ledger.total.toLocaleString()}</span>}
        </h2>
        <Filters desk={desk} />
      </div>
      {list === null && desk.trouble.value === null && <p class="empty">Loading…</p>}
      {list?.length === 0 && <p class="empty">No recording here yet.</p>}
      <ul class="plain">
        {list?.map((recording) => (
          <RecordingRow key={recording.id} desk={desk} recording={recording} />
        ))}
      </ul>
      {ledger?.endCursor != null && (
        <button type="button" class="more" disabled={desk.loadingMore.value} onClick={() => void desk.more()}>
          {desk.loadingMore.value ? 'Loading…' : 'More recordings'}
        </button>
      )}
    </section>
  );
}

function Filters({ desk }: { desk: Desk }) {
  const filter = desk.filter.value;
  const rooms = desk.rooms.value.list;
  const chosen = CHOICES.find((choice) => STATUS_CHOICES[choice].statuses === filter.statuses) ?? 'all';
  return (
    <div class="filters">
      <Choice
        label="Room"
        name="filter-room"
        value={filter.roomId ?? ''}
        options={[['', 'All rooms'], ...rooms.map((room) => [room.id, room.name] as const)]}
        onChoose={(roomId) => desk.show({ ...filter, roomId: roomId || null })}
      />
      <Choice
        label="Status"
        name="filter-status"
        value={chosen}
        options={CHOICES.map((choice) => [choice, STATUS_CHOICES[choice].words] as const)}
        onChoose={(choice) => desk.show({ ...filter, statuses: STATUS_CHOICES[choice].statuses })}
      />
    </div>
  );
}
