interface Props<T extends string> {
  label: string;
  name: string;
  value: T;
  options: readonly (readonly [value: T, words: string])[];
  onChoose: (value: T) => void;
  disabled?: boolean;
}

/** A labelled select that knows the type of its values. */
export function Choice<T extends string>({
  label,
  name,
  value,
  options,
  onChoose,
  disabled = false,
}: Props<T>) {
  return (
    <label>
      {label}
      <select
        name={name}
        disabled={disabled}
        value={value}
        onChange={(event) => {
          const chosen = options[event.currentTarget.selectedIndex];
          if (chosen) onChoose(chosen[0]);
        }}
      >
        {options.map(([option, words]) => (
          <option key={option} value={option}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}
