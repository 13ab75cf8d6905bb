import { rename } from 'node:fs/promises';
import { newApiKey } from '../../src/auth/api-key-format.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom } from '../support/operations.js';

const CREATE = `mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id name prefix role roomIds createdBy expiresAt revokedAt lastUsedAt } } }`;
const ROTATE = `mutation($id: ID!, $overlap: Int) { rotateApiKey(id: $id, overlapSeconds: $overlap) { secret apiKey { id prefix } } }`;
const REVOKE = `mutation($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }`;
const VIEWER = `{ viewer { name role mayDelete roomIds } }`;

interface Made {
  readonly secret: string;
  readonly apiKey: { readonly id: string; readonly prefix: string };
}

describe('API keys', () => {
  let stack: TestStack;
  let one: TestInstance;
  let two: TestInstance;

  beforeAll(async () => {
    stack = await startStack();
    one = await stack.start();
    two = await stack.start();
    await createRoom(one, 'mine');
    await createRoom(one, 'mine-too');
  });
  afterAll(() => stack.close());

  const make = async (input: object, at = one): Promise<Made> => {
    const { data, errors } = await at.graphql<{ createApiKey: Made } | null>(CREATE, { input });
    if (!data) throw new Error(errors[0]?.message);
    return data.createApiKey;
  };
  const codeOf = async (secret: string, query = VIEWER, at = two): Promise<string | null> =>
    (await at.graphql(query, {}, secret)).code;

  it('are known to every instance at once, as what they are', async () => {
    const { secret, apiKey } = await make({ name: 'the console', role: 'VIEWER', roomIds: ['mine'] });
    expect(apiKey).toMatchObject({
      name: 'the console',
      role: 'VIEWER',
      roomIds: ['mine'],
      createdBy: 'key:admin',
      prefix: secret.slice(0, 7),
      revokedAt: null,
    });
    const { data } = await two.graphql(VIEWER, {}, secret);
    expect(data).toEqual({
      viewer: { name: 'key:the console', role: 'VIEWER', mayDelete: false, roomIds: ['mine'] },
    });
    const rooms = await two.graphql('{ rooms { totalCount nodes { id } } }', {}, secret);
    expect(rooms.data).toEqual({ rooms: { totalCount: 1, nodes: [{ id: 'mine' }] } });
  });

  it('are nowhere but in the answer that made them', async () => {
    const { secret } = await make({ name: 'secret', role: 'ADMIN' });
    for (const key of await stack.redisClient.keys('*')) {
      const type = await stack.redisClient.type(key);
      const dump = type === 'hash' ? JSON.stringify(await stack.redisClient.hgetall(key)) : '';
      expect(dump).not.toContain(secret.slice(8));
    }
    const list = await one.graphql('{ apiKeys(first: 100) { totalCount nodes { name prefix } } }');
    expect(JSON.stringify(list.data)).not.toContain(secret.slice(8));
    expect(JSON.stringify(list.data)).toContain(secret.slice(0, 7));
  });

  it('say whether they are mistyped or unknown', async () => {
    const { secret } = await make({ name: 'typo', role: 'VIEWER' });
    const typed = secret.slice(0, -1) + (secret.endsWith('a') ? 'b' : 'a');
    const [mistyped, unknown] = [
      await one.graphql(VIEWER, {}, typed),
      await one.graphql(VIEWER, {}, newApiKey()),
    ];
    expect([mistyped.status, unknown.status]).toEqual([401, 401]);
    expect(mistyped.errors[0]?.message).toContain('mistyped');
    expect(unknown.errors[0]?.message).toContain('not known');
  });

  it('work on for the overlap when they are rotated, and not without one', async () => {
    const { secret, apiKey } = await make({ name: 'rotated', role: 'VIEWER' });
    const first = await one.graphql<{ rotateApiKey: Made }>(ROTATE, { id: apiKey.id, overlap: 2 });
    const next = first.data.rotateApiKey.secret;
    expect([await codeOf(secret), await codeOf(next)]).toEqual([null, null]);
    const second = await one.graphql<{ rotateApiKey: Made }>(ROTATE, { id: apiKey.id, overlap: 0 });
    await eventually(async () => (await codeOf(next)) === 'UNAUTHENTICATED' || 'the old secret works');
    await eventually(async () => (await codeOf(secret)) === 'UNAUTHENTICATED' || 'the oldest secret works');
    expect(await codeOf(second.data.rotateApiKey.secret)).toBeNull();
  });

  it('end everywhere within a second of being revoked, on open WebSockets too', async () => {
    const { secret, apiKey } = await make({ name: 'revoked', role: 'VIEWER' });
    expect(await codeOf(secret)).toBeNull();
    const closed = new Promise<number>((resolve) => {
      const client = two.subscriber(secret);
      client.on('closed', (event) => resolve((event as { code: number }).code));
      client.subscribe(
        { query: 'subscription { recordingEvents { cursor } }' },
        { next: () => undefined, error: () => undefined, complete: () => undefined },
      );
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const revoked = await one.graphql(REVOKE, { id: apiKey.id });
    expect(revoked.code).toBeNull();
    const at = Date.now();
    expect(await closed).toBe(4401);
    expect(Date.now() - at).toBeLessThan(1_000);
    await eventually(async () => (await codeOf(secret)) === 'UNAUTHENTICATED' || 'it still works');
    const again = await one.graphql(REVOKE, { id: apiKey.id });
    expect(again.data).toEqual(revoked.data);
  });

  it('expire, and can not be made to have expired', async () => {
    const expiresAt = new Date(Date.now() + 700).toISOString();
    const { secret } = await make({ name: 'short', role: 'VIEWER', expiresAt });
    expect(await codeOf(secret)).toBeNull();
    await eventually(async () => (await codeOf(secret)) === 'UNAUTHENTICATED' || 'it still works');
    const past = await one.graphql(CREATE, {
      input: { name: 'x', role: 'VIEWER', expiresAt: new Date(0).toISOString() },
    });
    expect(past.code).toBe('BAD_USER_INPUT');
  });

  it.each([
    [{ name: '', role: 'VIEWER' }, 'input.name'],
    [{ name: 'a\u202eb', role: 'VIEWER' }, 'input.name'],
    [{ name: 'x'.repeat(101), role: 'VIEWER' }, 'input.name'],
    [{ name: 'x', role: 'VIEWER', roomIds: [] }, 'input.roomIds'],
    [{ name: 'x', role: 'VIEWER', roomIds: ['\u0000'] }, 'input.roomIds.0'],
  ])('are refused as %j', async (input, field) => {
    const { code, errors } = await one.graphql(CREATE, { input });
    expect([code, errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
  });

  it('are made by no one but an ADMIN of every room', async () => {
    const limited = await make({ name: 'limited admin', role: 'ADMIN', roomIds: ['mine'] });
    const recorder = await make({ name: 'recorder', role: 'RECORDER' });
    for (const { secret } of [limited, recorder]) {
      const input = { name: 'more', role: 'ADMIN' };
      expect((await one.graphql(CREATE, { input }, secret)).code).toBe('FORBIDDEN');
      expect((await one.graphql(ROTATE, { id: limited.apiKey.id }, secret)).code).toBe('FORBIDDEN');
      expect((await one.graphql(REVOKE, { id: limited.apiKey.id }, secret)).code).toBe('FORBIDDEN');
      expect(await codeOf(secret, '{ apiKeys { totalCount } }')).toBe('FORBIDDEN');
      expect(await codeOf(secret, '{ auditLog { nodes { action } } }')).toBe('FORBIDDEN');
      expect(await codeOf(secret, '{ sweeps { name } }')).toBe('FORBIDDEN');
    }
    const update = `mutation($id: ID!) { updateRoom(input: { id: $id, name: "n" }) { id } }`;
    expect((await one.graphql(update, { id: 'mine' }, limited.secret)).code).toBeNull();
    expect((await one.graphql(update, { id: 'mine-too' }, limited.secret)).code).toBe('ROOM_NOT_FOUND');
    for (const path of ['/metrics', '/admin/queues']) {
      const asked = await fetch(`${one.url}${path}`, {
        headers: { authorization: `Bearer ${limited.secret}` },
      });
      expect(asked.status).toBe(403);
    }
  });

  it('unknown ones are not found', async () => {
    expect((await one.graphql(REVOKE, { id: 'nonsense' })).code).toBe('API_KEY_NOT_FOUND');
    expect((await one.graphql(ROTATE, { id: 'x'.repeat(1_000) })).code).toBe('API_KEY_NOT_FOUND');
    expect((await one.graphql(ROTATE, { id: 'x', overlap: 604_801 })).code).toBe('BAD_USER_INPUT');
  });

  it('are listed newest first, page by page, and tell when they were used', async () => {
    const { secret, apiKey } = await make({ name: 'used', role: 'VIEWER' });
    await codeOf(secret);
    const LIST = `query($after: String) { apiKeys(first: 2, after: $after) { totalCount nodes { id lastUsedAt } pageInfo { hasNextPage endCursor } } }`;
    interface Page {
      apiKeys: {
        totalCount: number;
        nodes: { id: string; lastUsedAt: string | null }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    }
    const ids: string[] = [];
    for (let after: string | null = null; ;) {
      const { data }: { data: Page } = await one.graphql<Page>(LIST, { after });
      ids.push(...data.apiKeys.nodes.map(({ id }) => id));
      if (!data.apiKeys.pageInfo.hasNextPage) {
        expect(ids).toHaveLength(data.apiKeys.totalCount);
        break;
      }
      after = data.apiKeys.pageInfo.endCursor;
    }
    expect(ids[0]).toBe(apiKey.id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    const { data } = await one.graphql<Page>(LIST);
    expect(Date.now() - Date.parse(data.apiKeys.nodes[0]?.lastUsedAt ?? '')).toBeLessThan(60_000);
  });

  it('what was done with them stands in the audit log, newest first', async () => {
    const { apiKey } = await make({ name: 'audited', role: 'VIEWER' });
    await one.graphql(REVOKE, { id: apiKey.id });
    const { data } = await one.graphql<{ auditLog: { nodes: object[] } }>(
      '{ auditLog(first: 2) { nodes { actor action subject detail } } }',
    );
    expect(data.auditLog.nodes).toEqual([
      { actor: 'key:admin', action: 'api_key.revoked', subject: apiKey.id, detail: { name: 'audited' } },
      {
        actor: 'key:admin',
        action: 'api_key.created',
        subject: apiKey.id,
        detail: { name: 'audited', role: 'VIEWER' },
      },
    ]);
  });

  it('end also while the storage is away, and stay ended; none is made then', async () => {
    const { secret, apiKey } = await make({ name: 'revoked without storage', role: 'ADMIN' });
    await rename(stack.storageFolder, `${stack.storageFolder}-away`);
    try {
      const refused = await one.graphql(CREATE, { input: { name: 'not durable', role: 'VIEWER' } });
      expect(refused.code).toBe('STORAGE_UNAVAILABLE');
      expect((await one.graphql(REVOKE, { id: apiKey.id })).code).toBeNull();
      await eventually(async () => (await codeOf(secret)) === 'UNAUTHENTICATED' || 'it still works');
    } finally {
      await rename(`${stack.storageFolder}-away`, stack.storageFolder);
    }
    await eventually(
      async () => (await stack.redisClient.zcard('{tl}:kept:unsaved')) === 0 || 'the storage has it not yet',
    );
    await stack.redisClient.flushall();
    await eventually(
      async () => (await codeOf(ADMIN_KEY, '{ rooms { totalCount } }')) === null || 'not whole',
    );
    expect(await codeOf(secret)).toBe('UNAUTHENTICATED');
    const list = await one.graphql('{ apiKeys(first: 100) { nodes { name } } }');
    expect(JSON.stringify(list.data)).not.toContain('not durable');
  });

  it('come back from the storage alone, the revoked ones revoked; the key of the environment needs neither', async () => {
    const kept = await make({ name: 'kept', role: 'RECORDER', roomIds: ['mine'] });
    const ended = await make({ name: 'ended', role: 'ADMIN' });
    await one.graphql(REVOKE, { id: ended.apiKey.id });
    await stack.redis.stop();
    expect(await codeOf(kept.secret)).toBe('REDIS_UNAVAILABLE');
    expect(await codeOf(ADMIN_KEY)).toBeNull();
    await stack.redis.restart();
    await stack.redisClient.flushall();
    await eventually(async () => (await codeOf(kept.secret)) === null || 'it is not back');
    expect(await codeOf(ended.secret)).toBe('UNAUTHENTICATED');
    const { data } = await two.graphql(VIEWER, {}, kept.secret);
    expect(data).toEqual({
      viewer: { name: 'key:kept', role: 'RECORDER', mayDelete: false, roomIds: ['mine'] },
    });
  });
});
