import type { ComponentChildren } from 'preact';
import { go, hrefOf } from '../state/place.js';

interface Props {
  /** A place in the console: `rooms?q=stand`. */
  to: string;
  class?: string;
  title?: string;
  'aria-label'?: string;
  'aria-current'?: 'page' | undefined;
  children: ComponentChildren;
}

/** A link within the console: a real one, so that it can be copied and opened elsewhere. */
export function Link({ to, children, ...more }: Props) {
  return (
    <a
      {...more}
      href={hrefOf(to)}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
