import type { InputHTMLAttributes } from 'preact';

type Props = InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  onText: (text: string) => void;
};

/** A labelled line of text. */
export function Field({ label, onText, ...input }: Props) {
  return (
    <label>
      {label}
      <input autocomplete="off" {...input} onInput={(event) => onText(event.currentTarget.value)} />
    </label>
  );
}

interface CheckProps {
  label: string;
  name: string;
  checked: boolean;
  onCheck: (checked: boolean) => void;
}

export function Check({ label, onCheck, ...input }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" {...input} onChange={(event) => onCheck(event.currentTarget.checked)} />
      {label}
    </label>
  );
}
