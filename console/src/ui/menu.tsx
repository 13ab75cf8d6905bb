import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface Props {
  /** What its button is called: there are many of them on a page. */
  label: string;
  button: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A button with a list of further actions, closed by choosing, by Escape, and by going elsewhere. */
export function Menu({ label, button, class: extra = '', children }: Props) {
  const isOpen = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (): void => {
    isOpen.value = false;
  };
  useEffect(() => {
    if (!isOpen.value) return;
    root.current
      ?.querySelector<HTMLElement>('.menu-items a, .menu-items button, .menu-items select')
      ?.focus();
    const outside = (event: PointerEvent): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) close();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen.value]);
  return (
    <div
      ref={root}
      class={`menu ${extra}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && isOpen.value) {
          event.stopPropagation();
          close();
          opener.current?.focus();
        } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
          step(root.current, event.key === 'ArrowDown' ? 1 : -1);
          event.preventDefault();
          event.stopPropagation();
        }
      }}
      onFocusOut={(event) => {
        if (event.relatedTarget instanceof Node && !root.current?.contains(event.relatedTarget)) close();
      }}
    >
      <button
        ref={opener}
        type="button"
        class="quiet"
        aria-label={label}
        aria-expanded={isOpen.value}
        aria-controls={isOpen.value ? id : undefined}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        {button}
      </button>
      {isOpen.value && (
        <div
          id={id}
          class="menu-items"
          onClick={(event) => {
            if (event.target instanceof Element && event.target.closest('a, button')) {
              opener.current?.focus();
              close();
            }
          }}
        >
          {children}
        </div>
      )}
    </div>
  );
}

function step(root: HTMLElement | null, by: 1 | -1): void {
  const items = [...(root?.querySelectorAll<HTMLElement>('.menu-items a, .menu-items button') ?? [])];
  const at = items.findIndex((item) => item === document.activeElement);
  items.at((at + by) % Math.max(1, items.length))?.focus();
}
