import { useSignal } from '@preact/signals';
import type { ResultOf } from 'gql.tada';
import { API_KEYS, CREATE_API_KEY, REVOKE_API_KEY, ROTATE_API_KEY } from '../../api/system-documents.js';
import { plainWords } from '../../words.js';
import { ActionButton } from '../action-button.js';
import { Choice } from '../choice.js';
import { useDesk } from '../desk-context.js';
import { Field } from '../field.js';
import { FormDialog } from '../form-dialog.js';
import { ErrorText } from '../notices.js';
import { Secret } from '../secret.js';
import { Ago } from '../time.js';
import { useRead } from '../use-read.js';

type ApiKey = ResultOf<typeof API_KEYS>['apiKeys']['nodes'][number];
const ROLES = ['VIEWER', 'RECORDER', 'ADMIN'] as const;

export function ApiKeys() {
  const desk = useDesk();
  const { data, problem, again } = useRead(() => readAll(desk.api));
  const secret = useSignal<string | null>(null);
  const creating = useSignal(false);
  const revoking = useSignal<ApiKey | null>(null);
  const rotate = async (id: string): Promise<void> => {
    secret.value = (await desk.api.ask(ROTATE_API_KEY, { id })).rotateApiKey.secret;
    await again();
  };
  return (
    <section class="panel" tabIndex={-1}>
      <div class="row">
        <h2>API keys</h2>
        <button type="button" onClick={() => (creating.value = true)}>
          New key…
        </button>
      </div>
      {secret.value !== null && (
        <Secret text={secret.value} what="The key" onDone={() => (secret.value = null)} />
      )}
      {problem && <ErrorText {...problem} />}
      {data?.length === 0 && (
        <p class="muted">No keys were made here; the one of the environment is not listed.</p>
      )}
      {data && data.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th>Begins with</th>
                <th>Role</th>
                <th>Rooms</th>
                <th>Last used</th>
                <th>Ends</th>
                <th>
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((key) => (
                <Row
                  key={key.id}
                  apiKey={key}
                  onRotate={() => rotate(key.id)}
                  onRevoke={() => (revoking.value = key)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {creating.value && (
        <CreateDialog
          onMade={(made) => {
            secret.value = made;
            void again();
          }}
          onClosed={() => (creating.value = false)}
        />
      )}
      {revoking.value && (
        <FormDialog
          title={`Revoke the key ${revoking.value.name}?`}
          submit="Revoke it"
          submitClass="danger"
          cancel="Keep"
          run={async () => {
            await desk.api.ask(REVOKE_API_KEY, { id: revoking.value?.id ?? '' });
            await again();
          }}
          onClosed={() => (revoking.value = null)}
        >
          <p>Whoever uses it is refused from now on, within a second.</p>
        </FormDialog>
      )}
    </section>
  );
}

async function readAll(api: ReturnType<typeof useDesk>['api']): Promise<ApiKey[]> {
  const keys: ApiKey[] = [];
  let after: string | null = null;
  do {
    const { apiKeys }: ResultOf<typeof API_KEYS> = await api.ask(API_KEYS, { after });
    keys.push(...apiKeys.nodes);
    after = apiKeys.pageInfo.hasNextPage ? apiKeys.pageInfo.endCursor : null;
  } while (after !== null && keys.length < 1_000);
  return keys;
}

interface RowProps {
  apiKey: ApiKey;
  onRotate: () => Promise<void>;
  onRevoke: () => void;
}

function Row({ apiKey, onRotate, onRevoke }: RowProps) {
  const { name, prefix, role, roomIds, lastUsedAt, expiresAt, revokedAt } = apiKey;
  return (
    <tr>
      <td>{name}</td>
      <td>
        <code>{prefix}</code>
      </td>
      <td>{plainWords(role)}</td>
      <td>{roomIds === null ? 'every room' : roomIds.join(', ')}</td>
      <td>{lastUsedAt === null ? 'never' : <Ago at={lastUsedAt} />}</td>
      <td>
        {revokedAt !== null ? (
          <span class="bad-text">revoked</span>
        ) : expiresAt === null ? (
          'never'
        ) : (
          <Ago at={expiresAt} />
        )}
      </td>
      <td>
        {revokedAt === null && (
          <span class="buttons">
            <ActionButton
              class="quiet"
              aria-label={`Rotate the key ${name}`}
              title="A new secret; the old one works for a day more"
              action={onRotate}
            >
              Rotate
            </ActionButton>
            <button
              type="button"
              class="quiet dangerous"
              aria-label={`Revoke the key ${name}`}
              onClick={onRevoke}
            >
              Revoke…
            </button>
          </span>
        )}
      </td>
    </tr>
  );
}

function CreateDialog({ onMade, onClosed }: { onMade: (secret: string) => void; onClosed: () => void }) {
  const desk = useDesk();
  const name = useSignal('');
  const role = useSignal<(typeof ROLES)[number]>('VIEWER');
  const rooms = useSignal('');
  const create = async (): Promise<void> => {
    const roomIds = rooms.value
      .split(/[\n,]/)
      .map((room) => room.trim())
      .filter((room) => room !== '');
    const input = { name: name.value.trim(), role: role.value, ...(roomIds.length > 0 && { roomIds }) };
    onMade((await desk.api.ask(CREATE_API_KEY, { input })).createApiKey.secret);
  };
  return (
    <FormDialog title="New API key" submit="Create key" run={create} onClosed={onClosed}>
      <Field
        label="Name, as it stands in the audit log"
        name="name"
        required
        value={name.value}
        onText={(text) => (name.value = text)}
      />
      <Choice
        label="Role"
        name="role"
        value={role.value}
        options={[
          ['VIEWER', 'Viewer: see and play'],
          ['RECORDER', 'Recorder: also start, stop and share'],
          ['ADMIN', 'Admin: everything'],
        ]}
        onChoose={(one) => (role.value = one)}
      />
      <Field
        label="Rooms, separated by commas"
        name="rooms"
        placeholder="every room"
        value={rooms.value}
        onText={(text) => (rooms.value = text)}
      />
    </FormDialog>
  );
}
