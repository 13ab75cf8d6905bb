import { useSignal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import { RUN_SWEEP, SWEEPS } from '../../api/system-documents.js';
import { countWords, plainWords, spanWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { ErrorText } from '../notices.js';
import { Ago } from '../time.js';
import { useRead } from '../use-read.js';

type Sweep = ResultOf<typeof SWEEPS>['sweeps'][number];
type Run = NonNullable<Sweep['lastRun']>;

const ABOUT: Record<string, string> = {
  ORPHANED_LOCKS: 'Frees rooms that are held by no recording.',
  STALE_RECORDINGS: 'Looks into recordings whose egress has gone silent.',
  LIVEKIT_RECONCILIATION: 'Compares every egress that LiveKit lists with the recordings.',
  STORAGE_RECONCILIATION: 'Compares the objects in the bucket with the recordings.',
  RETENTION: 'Deletes recordings that are older than their room keeps them.',
};

export function Sweeps() {
  const desk = useDesk();
  const { data, problem, again } = useRead(async () => (await desk.api.ask(SWEEPS)).sweeps, 15_000);
  if (problem && !data) return <ErrorText {...problem} />;
  if (!data) return <p class="empty">Loading…</p>;
  return (
    <div class="stack">
      {data.map((sweep) => (
        <One key={sweep.name} sweep={sweep} onRun={again} />
      ))}
    </div>
  );
}

function One({ sweep, onRun }: { sweep: Sweep; onRun: () => Promise<void> }) {
  const desk = useDesk();
  const dry = useSignal<Run | null>(null);
  const run = async (dryRun: boolean): Promise<void> => {
    const { runSweep } = await desk.api.ask(RUN_SWEEP, { name: sweep.name, dryRun });
    dry.value = dryRun ? runSweep : null;
    await onRun();
  };
  return (
    <section class="panel" data-sweep={sweep.name}>
      <div class="row">
        <div>
          <h2>{plainWords(sweep.name)}</h2>
          <p class="small muted">
            {ABOUT[sweep.name]} Every {spanWords(sweep.intervalMs)}.
          </p>
        </div>
        <span class="buttons">
          <ActionButton
            class="quiet"
            aria-label={`Dry run: ${plainWords(sweep.name)}`}
            action={() => run(true)}
          >
            Dry run
          </ActionButton>
          <ActionButton aria-label={`Run now: ${plainWords(sweep.name)}`} action={() => run(false)}>
            Run now
          </ActionButton>
        </span>
      </div>
      {sweep.lastRun && <Result run={sweep.lastRun} />}
      {dry.value && <Result run={dry.value} />}
    </section>
  );
}

function Result({ run }: { run: Run }) {
  const { dryRun, startedAt, examined, acted, failed, findings } = run;
  return (
    <>
      <p class="small">
        {dryRun ? 'Dry run' : 'Last run'} <Ago at={startedAt} />: {examined} examined, {acted}{' '}
        {dryRun ? 'would be changed' : 'changed'}
        {failed > 0 && <strong class="bad-text">, {failed} failed</strong>}
      </p>
      {findings.length > 0 && (
        <details>
          <summary>{countWords(findings.length, 'finding')}</summary>
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>What</th>
                  <th>About</th>
                  <th>Action</th>
                  <th>Detail</th>
                </tr>
              </thead>
              <tbody>
                {findings.map(({ kind, subject, action, detail }) => (
                  <tr key={`${kind} ${subject}`}>
                    <td>{kind}</td>
                    <td>
                      <code>{subject}</code>
                    </td>
                    <td>{action}</td>
                    <td>{detail}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  );
}
