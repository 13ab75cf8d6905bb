import { useSignal } from '@preact/signals';
import type { Recording } from '../api/contract.js';
import {
  agoWords,
  clockWords,
  countWords,
  lengthWords,
  outcomeOf,
  plainWords,
  preciseInstant,
  shortKindWords,
} from '../words.js';
import { ActionButton } from './action-button.js';
import { useDesk } from './desk-context.js';
import { Icon } from './icon.js';
import { Link } from './link.js';
import { Status } from './status.js';

const SHOWN_AT_FIRST = 8;

/** What somebody who looks in for a second has to see: what is recorded right now, and what went wrong. */
export function NowPanel() {
  const desk = useDesk();
  const all = useSignal(false);
  const running = desk.inProgress.value;
  const shown = all.value ? running : running.slice(0, SHOWN_AT_FIRST);
  const hidden = running.length - shown.length + desk.beyond.value;
  return (
    <section class={`now ${desk.isKnown.value ? '' : 'unknown'}`} aria-label="Now" tabIndex={-1}>
      <Unknown />
      <ul class="plain tiles">
        {running.length === 0 && <Idle />}
        {shown.map((recording) => (
          <Tile key={recording.id} recording={recording} />
        ))}
        <EndedBadly />
      </ul>
      {hidden > 0 && !all.value && (
        <button type="button" class="quiet" onClick={() => (all.value = true)}>
          And {hidden} more in progress
        </button>
      )}
      {all.value && desk.beyond.value > 0 && <Link to="?status=running">All that is in progress</Link>}
      <Incidents />
    </section>
  );
}

function Unknown() {
  const { connection, isKnown, asOf } = useDesk();
  if (isKnown.value || connection.value === 'connecting') return null;
  return (
    <p class="unknown-note">
      Not connected: this is how it was at {clockWords(asOf.value)}. Recordings go on without this page.
    </p>
  );
}

function Idle() {
  const desk = useDesk();
  if (!desk.isKnown.value) return <li class="idle">Whether anything is being recorded is not known.</li>;
  return (
    <li class="idle">
      <span class="lamp" aria-hidden="true" /> Nothing is being recorded.{' '}
      {desk.may('start') && <Link to="rooms">Record a room</Link>}
    </li>
  );
}

function Tile({ recording }: { recording: Recording }) {
  const desk = useDesk();
  const { id, roomName, status } = recording;
  const { tone } = outcomeOf(recording);
  const people = desk.participants.value.get(id);
  return (
    <li class={`tile ${tone}`} data-now={id} data-status={status} tabIndex={-1}>
      <div class="tile-text">
        <h2>
          <Link to={id}>{roomName}</Link>
        </h2>
        <p class="small muted">
          {shortKindWords(recording)}
          {typeof people === 'number' && ` · ${countWords(people, 'participant')}`}
        </p>
      </div>
      <div class="tile-state">
        <Status recording={recording} isKnown={desk.isKnown.value} />
        <Clock recording={recording} />
      </div>
      {desk.may('start') && (
        <ActionButton
          class="stop"
          aria-label={`Stop recording ${roomName}`}
          disabled={status === 'ENDING'}
          action={() => desk.stop(recording)}
        >
          Stop
        </ActionButton>
      )}
    </li>
  );
}

/** Since when; it stands still while nobody knows whether it goes on. */
export function Clock({ recording: { status, startedAt, requestedAt } }: { recording: Recording }) {
  const { asOf } = useDesk();
  const since = status === 'STARTING' ? requestedAt : (startedAt ?? requestedAt);
  return (
    <time class="digits clock" dateTime={since} title={`since ${preciseInstant(since)}`}>
      {lengthWords(asOf.value - Date.parse(since))}
    </time>
  );
}

function Incidents() {
  const open = useDesk().system.value?.all?.incidents.filter(({ closedAt }) => closedAt === null) ?? [];
  if (open.length === 0) return null;
  return (
    <ul class="plain incidents" aria-label="Open incidents">
      {open.slice(0, 4).map(({ id, kind, subject, detail, openedAt }) => (
        <li key={id} class="line warn">
          <Icon name="warn" />
          <span>
            <strong>{plainWords(kind)}</strong> {subject}: {detail}
          </span>
          <span class="muted small">{agoWords(openedAt, Date.now())}</span>
        </li>
      ))}
      {open.length > 4 && (
        <li>
          <Link to="system">All {open.length} incidents</Link>
        </li>
      )}
    </ul>
  );
}

/** The latest that ended badly in the last day, and the way to the others. */
function EndedBadly() {
  const desk = useDesk();
  const [latest, ...others] = desk.endedBadly.value;
  if (!latest) return null;
  const { id, roomName, endedAt, requestedAt } = latest;
  return (
    <li class="tile bad ended-badly">
      <div class="tile-text">
        <h2>
          <Link to={id}>{roomName}</Link>
        </h2>
        <p class="small muted">
          {outcomeOf(latest).why} · {agoWords(endedAt ?? requestedAt, desk.asOf.value)}
        </p>
      </div>
      <Status recording={latest} isKnown />
      {others.length > 0 && (
        <Link to="?status=failed&since=day" class="square" title="In the last day">
          +{others.length}
        </Link>
      )}
    </li>
  );
}
