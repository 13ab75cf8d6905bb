import { IS_EMBEDDED } from '../api/demo.js';
import type { Connection } from '../api/events.js';
import { hrefOf, place } from '../state/place.js';
import { signOut } from '../state/session.js';
import { type Theme, theme } from '../state/theme.js';
import { clockWords, plainWords } from '../words.js';
import { useDesk } from './desk-context.js';
import { Icon } from './icon.js';
import { Link } from './link.js';
import { Menu } from './menu.js';

const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: 'Connecting…',
  live: 'Live',
  reconnecting: 'Reconnecting…',
};
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function Header() {
  const desk = useDesk();
  const running = desk.inProgress.value.length + desk.beyond.value;
  return (
    <header class="top">
      <Link to="" class="brand" aria-label="Tallylight, recordings">
        <span
          class={`lamp ${running > 0 ? 'on' : ''} ${desk.isKnown.value ? '' : 'unknown'}`}
          aria-hidden="true"
        />
        <span>Tallylight</span>
      </Link>
      <nav aria-label="Views">
        <NavLink to="" words="Recordings" />
        <NavLink to="rooms" words="Rooms" />
        <NavLink to="system" words="System" />
        {IS_EMBEDDED && desk.may('operate') && <NavLink to="demo" words="Demo" />}
      </nav>
      <Health />
      <ConnectionState />
      <Account />
    </header>
  );
}

function NavLink({ to, words }: { to: string; words: string }) {
  const { path } = place.value;
  const isHere = path === to || (to === '' && path.startsWith('rec_'));
  return (
    <Link to={to} aria-current={isHere ? 'page' : undefined}>
      {words}
    </Link>
  );
}

/** What is wrong with the deployment, where something is; the way to what to do about it. */
function Health() {
  const system = useDesk().system.value;
  if (!system || system.state === 'OK') return null;
  const wrong = system.all?.checks.filter(({ state }) => state !== 'OK') ?? [];
  const words = wrong.map(({ name }) => plainWords(name)).join(', ');
  return (
    <Link
      to="system"
      class={`health ${system.state.toLowerCase()}`}
      title={wrong.map(({ detail }) => detail).join('\n')}
    >
      <Icon name="warn" /> {words || plainWords(system.state)}
    </Link>
  );
}

function ConnectionState() {
  const { connection, isKnown, asOf } = useDesk();
  const isLive = connection.value === 'live' && isKnown.value;
  const shown = connection.value === 'live' && !isLive ? 'reconnecting' : connection.value;
  return (
    <p class={`connection ${shown}`} role="status">
      <span class="dot" aria-hidden="true" />
      <span>{CONNECTION_WORDS[shown]}</span>
      {shown === 'reconnecting' && <span class="last-known">last known {clockWords(asOf.value)}</span>}
    </p>
  );
}

function Account() {
  const viewer = useDesk().viewer.value;
  const name = viewer?.name ?? '…';
  return (
    <Menu
      label={`Signed in as ${name}`}
      class="account"
      button={
        <>
          <Icon name="user" /> <span>{name.replace(/^key:/, '')}</span>
        </>
      }
    >
      <p class="small">
        <strong>{name}</strong>
        <br />
        {viewer && plainWords(viewer.role)}
        {viewer?.roomIds && `, ${viewer.roomIds.length} rooms alone`}
      </p>
      <fieldset class="themes">
        <legend class="small muted">Colours</legend>
        {THEMES.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="theme"
              checked={theme.value === one}
              onChange={() => (theme.value = one)}
            />
            {plainWords(one)}
          </label>
        ))}
      </fieldset>
      {IS_EMBEDDED && <a href={hrefOf('graphql')}>GraphiQL, the API</a>}
      <button type="button" onClick={() => signOut()}>
        Sign out
      </button>
    </Menu>
  );
}
