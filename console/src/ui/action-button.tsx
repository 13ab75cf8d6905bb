import { useSignal } from '@preact/signals';
import type { ButtonHTMLAttributes } from 'preact';
import { notify } from '../state/notices.js';

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'action'> & { action: () => Promise<unknown> };

/** Does one thing at a time; a refusal becomes a notice. Stays in the tab order while it works, so that the focus stays too. */
export function ActionButton({ action, children, ...more }: Props) {
  const busy = useSignal(false);
  const run = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    await action().catch(notify);
    busy.value = false;
  };
  return (
    <button type="button" {...more} aria-busy={busy.value} onClick={() => void run()}>
      {children}
    </button>
  );
}
