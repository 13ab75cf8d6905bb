import { signal } from '@preact/signals';
import { HOME } from '../api/graphql.js';

/** Where in the console somebody is: every view, filter and recording has an address of its own. */
export interface Place {
  /** Below the console's home: `` (recordings), `rooms`, `system`, or a recording's id. One segment, so that assets are found from everywhere. */
  readonly path: string;
  readonly search: URLSearchParams;
}

export const place = signal<Place>(read());

export function followHistory(): void {
  window.addEventListener('popstate', () => (place.value = read()));
}

/** `go('rooms?open=true')`. */
export function go(to: string, { replace = false } = {}): void {
  const address = hrefOf(to);
  if (address === location.href) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  const before = place.value.path;
  place.value = read();
  if (place.value.path !== before) window.scrollTo(0, 0);
}

/** The address of a place, to be linked or copied. */
export function hrefOf(to: string): string {
  return new URL(to === '' ? '.' : to, HOME).href;
}

/** Changes parts of the query; null or an empty text takes one out. Typing replaces, choosing adds to the history. */
export function change(parts: Readonly<Record<string, string | null>>, options?: { replace: boolean }): void {
  const search = new URLSearchParams(place.value.search);
  for (const [name, value] of Object.entries(parts)) {
    if (value === null || value === '') search.delete(name);
    else search.set(name, value);
  }
  const query = search.toString();
  go(`${place.value.path}${query && `?${query}`}` || '.', options);
}

function read(): Place {
  const path = location.pathname.slice(HOME.pathname.length);
  return { path: decodeURIComponent(path), search: new URLSearchParams(location.search) };
}
