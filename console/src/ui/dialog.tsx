import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icon.js';

interface Props {
  title: string;
  onClosed: () => void;
  wide?: boolean;
  /** Gets what closes the dialog, so that the focus goes back to where it was. */
  children: (close: () => void) => ComponentChildren;
}

/** A modal dialog that Escape, its cross and a press beside it close. */
export function Dialog({ title, onClosed, wide = false, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
    // The cross comes first in the document, and is the last thing that somebody wants.
    const first = '.sheet-body :is([autofocus], input, select, textarea, button):not(:disabled)';
    element.current?.querySelector<HTMLElement>(first)?.focus();
  }, []);
  const close = (): void => element.current?.close();
  return (
    <dialog
      ref={element}
      class={wide ? 'wide' : undefined}
      aria-labelledby={heading}
      onClose={onClosed}
      onPointerDown={(event) => {
        if (event.target === element.current) close();
      }}
    >
      <div class="sheet">
        <div class="sheet-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="quiet square" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        <div class="sheet-body">{children(close)}</div>
      </div>
    </dialog>
  );
}
