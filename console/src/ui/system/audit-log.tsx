import { useSignal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import { AUDIT } from '../../api/system-documents.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { ErrorText } from '../notices.js';
import { When } from '../time.js';
import { useRead } from '../use-read.js';

type Page = ResultOf<typeof AUDIT>['auditLog'];

export function AuditLog() {
  const desk = useDesk();
  const older = useSignal<readonly Page[]>([]);
  const { data, problem } = useRead(async () => (await desk.api.ask(AUDIT, { after: null })).auditLog);
  if (problem) return <ErrorText {...problem} />;
  if (!data) return <p class="empty">Loading…</p>;
  const pages = [data, ...older.value];
  const end = pages.at(-1)?.pageInfo;
  const more = async (): Promise<void> => {
    older.value = [...older.value, (await desk.api.ask(AUDIT, { after: end?.endCursor ?? null })).auditLog];
  };
  return (
    <section class="panel" tabIndex={-1}>
      <h2>Audit log</h2>
      <div class="scroll">
        <table class="wide">
          <thead>
            <tr>
              <th>When</th>
              <th>Who</th>
              <th>What</th>
              <th>About</th>
              <th>Detail</th>
            </tr>
          </thead>
          <tbody>
            {pages.flatMap(({ nodes }) =>
              nodes.map(({ at, actor, action, subject, detail }, n) => (
                <tr key={`${at} ${n}`}>
                  <td>
                    <When at={at} />
                  </td>
                  <td>{actor}</td>
                  <td>{action}</td>
                  <td>
                    <code>{subject}</code>
                  </td>
                  <td class="small">
                    {Object.keys(detail).length > 0 && <code>{JSON.stringify(detail)}</code>}
                  </td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
      {pages.every(({ nodes }) => nodes.length === 0) && <p class="muted">Nothing has happened yet.</p>}
      {end?.hasNextPage && (
        <ActionButton class="more-button" action={more}>
          Show more
        </ActionButton>
      )}
    </section>
  );
}
