import type { ComponentChildren } from 'preact';
import { Dialog } from './dialog.js';
import { ErrorText } from './notices.js';
import { useAction } from './use-action.js';

interface Props {
  title: string;
  /** What its button says. */
  submit: ComponentChildren;
  submitClass?: string;
  cancel?: string;
  /** Does it; a refusal is shown in the dialog, which stays. */
  run: () => Promise<void>;
  onClosed: () => void;
  children: ComponentChildren;
}

export function FormDialog({
  title,
  submit,
  submitClass = 'primary',
  cancel = 'Cancel',
  run,
  onClosed,
  children,
}: Props) {
  const action = useAction();
  const send = async (close: () => void): Promise<void> => {
    if (await action.run(run)) close();
  };
  return (
    <Dialog title={title} onClosed={onClosed}>
      {(close) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void send(close);
          }}
        >
          {children}
          <div role="alert">{action.error && <ErrorText {...action.error} />}</div>
          <div class="buttons end">
            <button type="button" class="quiet" onClick={close}>
              {cancel}
            </button>
            <button type="submit" class={submitClass} disabled={action.busy}>
              {submit}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
