import { copy } from './copy.js';

interface Props {
  text: string;
  what: string;
  onDone: () => void;
}

/** What is shown once and never again. */
export function Secret({ text, what, onDone }: Props) {
  return (
    <div class="secret">
      <p class="small">{what} is shown now and never again.</p>
      <code>{text}</code>
      <div class="buttons">
        <button type="button" class="primary" onClick={() => copy(text, what)}>
          Copy
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}
