import { useSignal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import {
  CREATE_WEBHOOK,
  DELETE_WEBHOOK,
  DELIVERIES,
  REDELIVER,
  TEST_WEBHOOK,
  UPDATE_WEBHOOK,
  WEBHOOKS,
} from '../../api/system-documents.js';
import { inform } from '../../state/notices.js';
import { countWords, plainWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { useDesk } from '../desk-context.js';
import { Check, Field } from '../field.js';
import { FormDialog } from '../form-dialog.js';
import { ErrorText } from '../notices.js';
import { Secret } from '../secret.js';
import { Ago } from '../time.js';
import { useRead } from '../use-read.js';

type Endpoint = ResultOf<typeof WEBHOOKS>['webhookEndpoints'][number];
type EventType = Endpoint['events'][number];
type Delivery = ResultOf<typeof TEST_WEBHOOK>['testWebhookEndpoint'];
const EVENTS: readonly EventType[] = [
  'RECORDING_REQUESTED',
  'RECORDING_STARTED',
  'RECORDING_UPDATED',
  'RECORDING_ENDED',
  'RECORDING_DELETED',
  'INCIDENT_OPENED',
  'INCIDENT_CLOSED',
];

export function Webhooks() {
  const desk = useDesk();
  const { data, problem, again } = useRead(
    async () => (await desk.api.ask(WEBHOOKS)).webhookEndpoints,
    15_000,
  );
  const secret = useSignal<string | null>(null);
  const creating = useSignal(false);
  return (
    <div class="stack" tabIndex={-1}>
      <div class="row">
        <p class="muted">
          Every change of a recording is posted to your server, signed as Standard Webhooks describe.
        </p>
        <button type="button" onClick={() => (creating.value = true)}>
          New endpoint…
        </button>
      </div>
      {secret.value !== null && (
        <Secret text={secret.value} what="The signing secret" onDone={() => (secret.value = null)} />
      )}
      {problem && <ErrorText {...problem} />}
      {data?.length === 0 && (
        <p class="empty">No endpoint yet. Create one to have recordings posted to your server.</p>
      )}
      {data?.map((endpoint) => (
        <One key={endpoint.id} endpoint={endpoint} onChanged={again} />
      ))}
      {creating.value && (
        <CreateDialog
          onMade={(made) => {
            secret.value = made;
            void again();
          }}
          onClosed={() => (creating.value = false)}
        />
      )}
    </div>
  );
}

function One({ endpoint, onChanged }: { endpoint: Endpoint; onChanged: () => Promise<void> }) {
  const desk = useDesk();
  const removing = useSignal(false);
  const { id, url, enabled, disabledReason, failingSince, backlog, events } = endpoint;
  const deliveries = useRead(
    async () => (await desk.api.ask(DELIVERIES, { id })).webhookEndpoint?.deliveries.nodes ?? [],
  );
  const test = async (): Promise<void> => {
    const { testWebhookEndpoint: sent } = await desk.api.ask(TEST_WEBHOOK, { id });
    inform(
      sent.status === 'DELIVERED'
        ? 'The example was delivered.'
        : `The example was not delivered: ${lastOf(sent)}`,
    );
    await deliveries.again();
  };
  const change = async (): Promise<void> => {
    await desk.api.ask(UPDATE_WEBHOOK, { input: { id, enabled: !enabled } });
    await onChanged();
  };
  return (
    <section class="panel">
      <div class="row">
        <div>
          <h2>
            <code>{url}</code>
          </h2>
          <p class="small muted">
            {events.length === EVENTS.length ? 'every event' : events.map(plainWords).join(', ')}
            {backlog > 0 && `, ${countWords(backlog, 'delivery waits', 'deliveries wait')}`}
          </p>
          {!enabled && <p class="small warn-text">Switched off{disabledReason && `: ${disabledReason}`}</p>}
          {failingSince !== null && (
            <p class="small bad-text">
              Failing since <Ago at={failingSince} />
            </p>
          )}
        </div>
        <span class="buttons">
          <ActionButton aria-label={`Send a test to ${url}`} action={test}>
            Send a test
          </ActionButton>
          <ActionButton class="quiet" action={change}>
            {enabled ? 'Switch off' : 'Switch on'}
          </ActionButton>
          <button
            type="button"
            class="quiet dangerous"
            aria-label={`Delete the endpoint ${url}`}
            onClick={() => (removing.value = true)}
          >
            Delete…
          </button>
        </span>
      </div>
      <Deliveries list={deliveries.data ?? []} onAgain={deliveries.again} />
      {removing.value && (
        <FormDialog
          title="Delete this endpoint?"
          submit="Delete it"
          submitClass="danger"
          cancel="Keep"
          run={async () => {
            await desk.api.ask(DELETE_WEBHOOK, { id });
            await onChanged();
          }}
          onClosed={() => (removing.value = false)}
        >
          <p>What waits for it is not delivered any more.</p>
        </FormDialog>
      )}
    </section>
  );
}

function Deliveries({ list, onAgain }: { list: readonly Delivery[]; onAgain: () => Promise<void> }) {
  const desk = useDesk();
  if (list.length === 0) return null;
  const redeliver = async (id: string): Promise<void> => {
    await desk.api.ask(REDELIVER, { id });
    await onAgain();
  };
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Event</th>
            <th>Recording</th>
            <th>Status</th>
            <th>Tries</th>
            <th>Last answer</th>
            <th>Made</th>
            <th>
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((delivery) => (
            <tr key={delivery.id}>
              <td>{plainWords(delivery.type)}</td>
              <td>
                <code>{delivery.recordingId}</code>
              </td>
              <td class={delivery.status === 'FAILED' ? 'bad-text' : ''}>{plainWords(delivery.status)}</td>
              <td>{delivery.attempts.length}</td>
              <td>{lastOf(delivery)}</td>
              <td>
                <Ago at={delivery.createdAt} />
              </td>
              <td>
                <ActionButton
                  class="quiet"
                  aria-label={`Again: send ${delivery.id}`}
                  action={() => redeliver(delivery.id)}
                >
                  Again
                </ActionButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function lastOf({ attempts }: Delivery): string {
  const last = attempts.at(-1);
  if (!last) return 'not tried yet';
  return last.error ?? `HTTP ${last.httpStatus ?? '?'} in ${last.durationMs} ms`;
}

function CreateDialog({ onMade, onClosed }: { onMade: (secret: string) => void; onClosed: () => void }) {
  const desk = useDesk();
  const url = useSignal('');
  const events = useSignal<readonly EventType[]>(EVENTS);
  const create = async (): Promise<void> => {
    const input = { url: url.value.trim(), events: [...events.value] };
    onMade((await desk.api.ask(CREATE_WEBHOOK, { input })).createWebhookEndpoint.secret);
  };
  return (
    <FormDialog title="New webhook endpoint" submit="Create endpoint" run={create} onClosed={onClosed}>
      <Field
        label="URL"
        name="url"
        type="url"
        required
        placeholder="https://"
        value={url.value}
        onText={(text) => (url.value = text)}
      />
      {EVENTS.map((type) => (
        <Check
          key={type}
          label={plainWords(type)}
          name={type}
          checked={events.value.includes(type)}
          onCheck={(on) =>
            (events.value = EVENTS.filter((one) => (one === type ? on : events.value.includes(one))))
          }
        />
      ))}
    </FormDialog>
  );
}
