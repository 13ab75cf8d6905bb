import { announcement, dismiss, notices } from '../state/notices.js';

export function Notices() {
  return (
    <div class="notices" role="alert">
      {notices.value.map(({ id, code, message }) => (
        <div class="notice" key={id}>
          <ErrorText code={code} message={message} />
          <button type="button" class="quiet" aria-label="Dismiss this message" onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}

/** A refusal in the contract's own sentence, with its code. */
export function ErrorText({ code, message }: { code: string; message: string }) {
  return (
    <p class="error-text">
      {message} <code>{code}</code>
    </p>
  );
}

export function Announcer() {
  return (
    <p class="unseen" aria-live="polite">
      {announcement.value}
    </p>
  );
}
