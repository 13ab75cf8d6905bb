import { signal } from '@preact/signals';

/** This moment, in ms; moves once a second while the page is open. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);
