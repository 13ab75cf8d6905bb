import type { Recording } from '../api/contract.js';
import { useDesk } from './desk-context.js';
import { FormDialog } from './form-dialog.js';
import { When } from './time.js';

interface Props {
  recording: Recording;
  onClosed: () => void;
}

export function DeleteRecordingDialog({ recording, onClosed }: Props) {
  const desk = useDesk();
  return (
    <FormDialog
      title="Delete this recording?"
      submit="Delete it"
      submitClass="danger"
      cancel="Keep"
      run={() => desk.delete(recording)}
      onClosed={onClosed}
    >
      <p>
        The recording of <strong>{recording.roomName}</strong>, <When at={recording.requestedAt} />, and its
        media are deleted for good.
      </p>
    </FormDialog>
  );
}
