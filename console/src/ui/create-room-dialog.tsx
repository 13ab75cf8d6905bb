import { useSignal } from '@preact/signals';
import type { Desk } from '../state/desk.js';
import { Field } from './field.js';
import { FormDialog } from './form-dialog.js';

export function CreateRoomDialog({ desk, onClosed }: { desk: Desk; onClosed: () => void }) {
  const name = useSignal('');
  const id = useSignal('');
  const create = (): Promise<void> => {
    const wanted = id.value.trim();
    return desk.createRoom({ name: name.value.trim(), ...(wanted !== '' && { id: wanted }) });
  };
  return (
    <FormDialog title="New room" submit="Create room" run={create} onClosed={onClosed}>
      <Field
        label="Name"
        name="name"
        required
        autofocus
        value={name.value}
        onText={(t) => (name.value = t)}
      />
      <Field
        label="Id, also the LiveKit room's name"
        name="id"
        spellcheck={false}
        maxLength={128}
        pattern="[A-Za-z0-9._\-]+"
        title="Letters, digits, dot, underscore and hyphen"
        placeholder="left empty: one is made"
        value={id.value}
        onText={(t) => (id.value = t)}
      />
      <p class="muted small">This opens nothing in LiveKit; it can be recorded once people meet in it.</p>
    </FormDialog>
  );
}
