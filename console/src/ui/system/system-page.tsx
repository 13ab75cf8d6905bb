import { place } from '../../state/place.js';
import { useDesk } from '../desk-context.js';
import { Link } from '../link.js';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { Health } from './health.js';
import { Queues } from './queues.js';
import { Sweeps } from './sweeps.js';
import { Webhooks } from './webhooks.js';

const VIEWS = [
  { name: '', words: 'Health', View: Health },
  { name: 'sweeps', words: 'Sweeps', View: Sweeps },
  { name: 'queues', words: 'Queues', View: Queues },
  { name: 'keys', words: 'API keys', View: ApiKeys },
  { name: 'webhooks', words: 'Webhooks', View: Webhooks },
  { name: 'audit', words: 'Audit log', View: AuditLog },
] as const;

/** How the deployment is and what keeps it right; what is not about health, for an ADMIN of every room alone. */
export function SystemPage() {
  const desk = useDesk();
  const wanted = place.value.search.get('view') ?? '';
  const views = VIEWS.filter(({ name }) => name === '' || desk.may('operate'));
  const { View, name } = views.find((view) => view.name === wanted) ?? VIEWS[0];
  return (
    <>
      <h1 class="unseen">System</h1>
      {views.length > 1 && (
        <nav class="tabs" aria-label="System">
          {views.map((view) => (
            <Link
              key={view.name}
              to={view.name === '' ? 'system' : `system?view=${view.name}`}
              aria-current={view.name === name ? 'page' : undefined}
            >
              {view.words}
            </Link>
          ))}
        </nav>
      )}
      <View key={name} />
    </>
  );
}
