import { Icon } from './icon.js';
import { announcement, dismiss, information, notices } from '../state/notices.js';

/** Something small that went well, for a moment. */
export function Information() {
  const sentence = information.value;
  return sentence === null ? null : <p class="information">{sentence}</p>;
}

export function Notices() {
  return (
    <div class="notices" role="alert">
      {notices.value.map(({ id, code, message }) => (
        <div class="notice" key={id}>
          <ErrorText code={code} message={message} />
          <button
            type="button"
            class="quiet square"
            aria-label="Dismiss this message"
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

/** A refusal in the contract's own sentence; its code is for whoever is asked for help. */
export function ErrorText({ code, message }: { code: string; message: string }) {
  return (
    <p class="error-text" data-code={code} title={code}>
      {message.charAt(0).toUpperCase() + message.slice(1)}
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
