import type { Recording } from '../api/contract.js';
import type { Desk } from '../state/desk.js';
import { instantWords } from '../words.js';
import { Dialog } from './dialog.js';
import { ErrorText } from './notices.js';
import { useAction } from './use-action.js';

interface Props {
  desk: Desk;
  recording: Recording;
  onClosed: () => void;
}

export function DeleteDialog({ desk, recording, onClosed }: Props) {
  const action = useAction();
  const remove = async (close: () => void): Promise<void> => {
    if (await action.run(() => desk.delete(recording))) close();
  };
  return (
    <Dialog title="Delete this recording?" onClosed={onClosed}>
      {(close) => (
        <>
          <p>
            The recording of <strong>{recording.roomName}</strong> of {instantWords(recording.requestedAt)}{' '}
            and its media are deleted for good.
          </p>
          {action.error && <ErrorText {...action.error} />}
          <div class="buttons end">
            <button type="button" class="quiet" autofocus onClick={close}>
              Keep it
            </button>
            <button type="button" class="danger" disabled={action.busy} onClick={() => void remove(close)}>
              Delete it
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
