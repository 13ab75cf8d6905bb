import { effect, signal } from '@preact/signals';
import { store } from './session.js';

export type Theme = 'system' | 'light' | 'dark';
const STORED_AS = 'tallylight.theme';

export const theme = signal<Theme>(stored());

/** Puts the choice onto the document, and keeps it on this device. */
export function followTheme(): void {
  effect(() => {
    document.documentElement.style.colorScheme = theme.value === 'system' ? 'light dark' : theme.value;
    if (theme.value === 'system') store('localStorage')?.removeItem(STORED_AS);
    else store('localStorage')?.setItem(STORED_AS, theme.value);
  });
}

function stored(): Theme {
  const kept = store('localStorage')?.getItem(STORED_AS);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}
