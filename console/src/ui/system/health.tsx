import { plainWords } from '../../words.js';
import { useDesk } from '../desk-context.js';
import { Icon } from '../icon.js';
import { Ago, When } from '../time.js';

const STATE_TONE = { OK: 'good', DEGRADED: 'warn', UNAVAILABLE: 'bad' } as const;
const RECORDERS = {
  AVAILABLE: { words: 'would take a recording now', tone: 'good' },
  NONE: {
    words: 'none is free: a start would be refused. Start an egress worker, or wait for one to be free.',
    tone: 'bad',
  },
  UNKNOWN: { words: 'could not be asked', tone: 'warn' },
} as const;

export function Health() {
  const { system } = useDesk();
  if (!system.value) return <p class="empty">Loading…</p>;
  const { state, recorders, all } = system.value;
  return (
    <div class="stack">
      <p data-system={state}>
        <strong class={`${STATE_TONE[state]}-text`}>
          {state === 'OK' ? 'Everything works.' : `${plainWords(state)}.`}
        </strong>
        {all && <span class="muted"> Tallylight {all.version}</span>}
      </p>
      <div class="cards">
        {all?.checks.map(({ name, state: one, since, detail }) => (
          <Check
            key={name}
            name={plainWords(name)}
            tone={STATE_TONE[one]}
            word={one === 'OK' ? 'OK' : plainWords(one)}
            detail={detail}
            since={since}
          />
        ))}
        {recorders.map(({ kind, availability, since }) => (
          <Check
            key={kind}
            name={`Egress workers, ${plainWords(kind).toLowerCase()}`}
            tone={RECORDERS[availability].tone}
            word={plainWords(availability)}
            detail={RECORDERS[availability].words}
            since={since}
          />
        ))}
      </div>
      {all && <Unexplained count={all.unexplained} />}
      {all && <Incidents />}
    </div>
  );
}

interface CheckProps {
  name: string;
  tone: 'good' | 'warn' | 'bad';
  word: string;
  detail: string;
  since: string;
}

function Check({ name, tone, word, detail, since }: CheckProps) {
  return (
    <section class={`panel check-card ${tone === 'good' ? '' : 'bad'}`}>
      <h2 class="row">
        {name}
        <span class={`status ${tone}`}>
          <Icon name={tone === 'good' ? 'check' : tone === 'warn' ? 'warn' : 'cross'} /> {word}
        </span>
      </h2>
      <p class="small">{detail}</p>
      <p class="small muted">
        so since <When at={since} />
      </p>
    </section>
  );
}

function Unexplained({ count }: { count: number }) {
  return (
    <p class={count > 0 ? 'warn-text' : 'muted'}>
      {count === 0
        ? 'Every live egress belongs to a recording, and every recording in progress to an egress.'
        : `${count} live egresses or recordings in progress have no counterpart. The sweep LIVEKIT_RECONCILIATION looks into it; run it now under Sweeps.`}
    </p>
  );
}

function Incidents() {
  const incidents = useDesk().system.value?.all?.incidents ?? [];
  return (
    <section class="panel">
      <h2>Incidents</h2>
      {incidents.length === 0 && <p class="muted">None so far.</p>}
      {incidents.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>What</th>
                <th>About</th>
                <th>Detail</th>
                <th>Opened</th>
                <th>Closed</th>
              </tr>
            </thead>
            <tbody>
              {incidents.map(({ id, kind, subject, detail, openedAt, closedAt }) => (
                <tr key={id}>
                  <td class={closedAt === null ? 'warn-text' : ''}>{plainWords(kind)}</td>
                  <td>{subject}</td>
                  <td>{detail}</td>
                  <td>
                    <Ago at={openedAt} />
                  </td>
                  <td>
                    {closedAt === null ? <strong class="warn-text">open</strong> : <Ago at={closedAt} />}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
