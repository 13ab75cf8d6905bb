const PATHS = {
  play: 'M5 3.5v9l7.5-4.5z',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  close: 'M3.5 3.5l9 9m0-9l-9 9',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4.5 4.5l7 7m0-7l-7 7',
  warn: 'M8 3v6M8 12.4v.1',
  dash: 'M4 8h8',
  down: 'M4 6l4 4 4-4',
  link: 'M6.5 9.5l3-3M7 4.5l1.3-1.3a2.6 2.6 0 0 1 3.7 3.7L10.7 8.2M9 11.5l-1.3 1.3A2.6 2.6 0 0 1 4 9.1l1.3-1.3',
  copy: 'M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6',
  user: 'M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM3 13.6c.6-2.5 2.5-3.8 5-3.8s4.4 1.3 5 3.8',
} as const;

/** Drawn in the colour of the text beside it, and silent: its button has a name. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class={`icon ${name}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
