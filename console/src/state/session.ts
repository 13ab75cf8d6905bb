import { signal } from '@preact/signals';

const STORED_AS = 'tallylight.key';

/** The credential of this tab: an API key or a LiveKit access token. Null: the page asks for one. */
export const credential = signal<string | null>(null);
/** Why the page asks for a key again. */
export const signedOutBecause = signal<string | null>(null);

/** Finds the key in the address (and takes it out there at once), in this tab, or on this device. */
export function restoreSession(): void {
  window.addEventListener('hashchange', takeKeyFromAddress);
  if (takeKeyFromAddress()) return;
  credential.value = storedKey();
}

export function storedKey(): string | null {
  return store('sessionStorage')?.getItem(STORED_AS) ?? store('localStorage')?.getItem(STORED_AS) ?? null;
}

export function signIn(key: string, { remember }: { remember: boolean }): void {
  forget();
  store(remember ? 'localStorage' : 'sessionStorage')?.setItem(STORED_AS, key);
  signedOutBecause.value = null;
  credential.value = key;
}

export function signOut(because: string | null = null): void {
  forget();
  signedOutBecause.value = because;
  credential.value = null;
}

/** A fragment never reaches a server or its logs, and is gone from the address bar and the history before anybody looks. */
export function takeKeyFromAddress(): boolean {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (!key) return false;
  history.replaceState(null, '', location.pathname + location.search);
  signIn(key, { remember: false });
  return true;
}

function forget(): void {
  store('sessionStorage')?.removeItem(STORED_AS);
  store('localStorage')?.removeItem(STORED_AS);
}

/** Null where the browser forbids it: what would be kept then lives as long as the page. */
export function store(kind: 'sessionStorage' | 'localStorage'): Storage | null {
  try {
    return window[kind];
  } catch (error) {
    console.warn('this browser keeps nothing for this page:', error);
    return null;
  }
}
