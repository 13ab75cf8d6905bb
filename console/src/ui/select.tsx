interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, words: string])[];
  onChoose: (value: T) => void;
}

/** A select of a toolbar, whose first choice says what it is about. */
export function Select<T extends string>({ label, value, options, onChoose }: Props<T>) {
  return (
    <select
      aria-label={label}
      value={value}
      class={value === options[0]?.[0] ? '' : 'chosen'}
      onChange={(event) => {
        const chosen = options[event.currentTarget.selectedIndex];
        if (chosen) onChoose(chosen[0]);
      }}
    >
      {options.map(([option, words]) => (
        <option key={option} value={option} selected={option === value}>
          {words}
        </option>
      ))}
    </select>
  );
}
