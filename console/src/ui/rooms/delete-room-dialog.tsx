import { useSignal } from '@preact/signals';
import { DELETE_ROOM } from '../../api/room-documents.js';
import type { SeenRoom } from '../../state/rooms.js';
import { Choice } from '../choice.js';
import { useDesk } from '../desk-context.js';
import { FormDialog } from '../form-dialog.js';

interface Props {
  room: SeenRoom;
  onDone: () => void;
  onClosed: () => void;
}

const POLICIES = [
  ['FAIL', 'Only if it has none'],
  ['KEEP', 'Keep them'],
  ['DELETE', 'Delete them all, and stop what is running'],
] as const;

export function DeleteRoomDialog({ room, onDone, onClosed }: Props) {
  const desk = useDesk();
  const policy = useSignal<(typeof POLICIES)[number][0]>('FAIL');
  const remove = async (): Promise<void> => {
    const { deleteRoom } = await desk.api.ask(DELETE_ROOM, { id: room.id, recordings: policy.value });
    if (deleteRoom.deletion) void desk.deletions.follow(deleteRoom.deletion.id);
    onDone();
  };
  return (
    <FormDialog
      title={`Delete the room ${room.name}?`}
      submit="Delete the room"
      submitClass="danger"
      cancel="Keep"
      run={remove}
      onClosed={onClosed}
    >
      <Choice
        label="Its recordings"
        name="policy"
        value={policy.value}
        options={POLICIES}
        onChoose={(one) => (policy.value = one)}
      />
      <p class="muted small">The meeting in LiveKit, if there is one, goes on.</p>
    </FormDialog>
  );
}
