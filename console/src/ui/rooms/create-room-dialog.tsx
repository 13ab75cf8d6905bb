import { useSignal } from '@preact/signals';
import { CREATE_ROOM } from '../../api/room-documents.js';
import { useDesk } from '../desk-context.js';
import { Field } from '../field.js';
import { FormDialog } from '../form-dialog.js';

interface Props {
  onDone: () => void;
  onClosed: () => void;
}

export function CreateRoomDialog({ onDone, onClosed }: Props) {
  const desk = useDesk();
  const name = useSignal('');
  const id = useSignal('');
  const create = async (): Promise<void> => {
    const wanted = id.value.trim();
    const input = { name: name.value.trim(), ...(wanted !== '' && { id: wanted }) };
    await desk.api.ask(CREATE_ROOM, { input });
    onDone();
  };
  return (
    <FormDialog title="New room" submit="Create room" run={create} onClosed={onClosed}>
      <Field
        label="Name"
        name="name"
        required
        autofocus
        value={name.value}
        onText={(text) => (name.value = text)}
      />
      <Field
        label="Id, also the LiveKit room's name"
        name="id"
        spellcheck={false}
        maxLength={256}
        placeholder="left empty: one is made"
        value={id.value}
        onText={(text) => (id.value = text)}
      />
      <p class="muted small">This opens nothing in LiveKit; it can be recorded once people meet in it.</p>
    </FormDialog>
  );
}
