import { ApiError, readBody, serverUrl } from '../../api/graphql.js';
import { useDesk } from '../desk-context.js';
import { ErrorText } from '../notices.js';
import { useRead } from '../use-read.js';

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
const LINE = /^tallylight_jobs\{queue="([^"]+)",state="([^"]+)"\} (\d+)/gm;

/** How many jobs wait, run and failed, from the metrics; each of them in Bull Board. */
export function Queues() {
  const desk = useDesk();
  const { data, problem } = useRead(() => readJobs(desk.api.credential), 5_000);
  return (
    <section class="panel">
      <div class="row">
        <h2>Jobs</h2>
        <a href={serverUrl('admin/queues').href} target="_blank" rel="noreferrer">
          Open Bull Board
        </a>
      </div>
      <p class="small muted">
        Bull Board asks for a name and a password: any name, and an ADMIN key as the password.
      </p>
      {problem && <ErrorText {...problem} />}
      {data && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Queue</th>
                {STATES.map((state) => (
                  <th key={state}>{state}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {[...data].map(([queue, counts]) => (
                <tr key={queue}>
                  <td>{queue}</td>
                  {STATES.map((state) => (
                    <td key={state} class={state === 'failed' && counts[state] ? 'bad-text' : ''}>
                      {counts[state] ?? 0}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

async function readJobs(credential: string): Promise<Map<string, Record<string, number>>> {
  const response = await fetch(serverUrl('metrics'), { headers: { authorization: `Bearer ${credential}` } });
  if (response.status === 404) {
    throw new ApiError(
      'NOT_FOUND',
      'the numbers are on METRICS_PORT here; Bull Board shows the jobs themselves',
    );
  }
  if (!response.ok) await readBody(response);
  const queues = new Map<string, Record<string, number>>();
  for (const [, queue = '', state = '', count] of (await response.text()).matchAll(LINE)) {
    queues.set(queue, { ...queues.get(queue), [state]: Number(count) });
  }
  return queues;
}
