import { useSignal } from '@preact/signals';
import type { Desk } from '../state/desk.js';
import { Dialog } from './dialog.js';
import { ErrorText } from './notices.js';
import { useAction } from './use-action.js';

export function CreateRoomDialog({ desk, onClosed }: { desk: Desk; onClosed: () => void }) {
  const name = useSignal('');
  const id = useSignal('');
  const action = useAction();
  const submit = async (close: () => void): Promise<void> => {
    const input = { name: name.value.trim(), ...(id.value.trim() && { id: id.value.trim() }) };
    if (await action.run(() => desk.createRoom(input))) close();
  };
  return (
    <Dialog title="New room" onClosed={onClosed}>
      {(close) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void submit(close);
          }}
        >
          <label>
            Name
            <input
              name="name"
              required
              autofocus
              autocomplete="off"
              value={name}
              onInput={(event) => (name.value = event.currentTarget.value)}
            />
          </label>
          <label>
            Id, also the LiveKit room's name
            <input
              name="id"
              autocomplete="off"
              spellcheck={false}
              maxLength={128}
              pattern="[A-Za-z0-9._\-]+"
              title="Letters, digits, dot, underscore and hyphen"
              placeholder="left empty: one is made"
              value={id}
              onInput={(event) => (id.value = event.currentTarget.value)}
            />
          </label>
          <p class="muted small">This opens nothing in LiveKit; it can be recorded once people meet in it.</p>
          {action.error && <ErrorText {...action.error} />}
          <div class="buttons end">
            <button type="button" class="quiet" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="primary" disabled={action.busy}>
              Create room
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
