import type { Connection } from '../api/events.js';
import type { Desk } from '../state/desk.js';
import { signOut } from '../state/session.js';

const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: 'connecting…',
  live: 'live',
  reconnecting: 'reconnecting…',
};

export function Header({ desk }: { desk: Desk }) {
  const connection = desk.connection.value;
  return (
    <header class="top">
      <h1>
        <Lamp /> Tallylight
      </h1>
      <p class={`connection ${connection}`} role="status">
        <span class="dot" aria-hidden="true" />
        {CONNECTION_WORDS[connection]}
      </p>
      <button type="button" class="quiet" onClick={() => signOut()}>
        Sign out
      </button>
    </header>
  );
}

export function Lamp() {
  return <span class="lamp" aria-hidden="true" />;
}
