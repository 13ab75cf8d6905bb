import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { exchange, type HttpAnswer, type HttpRequest } from './exchange.js';
import { type GraphqlError, judgeErrors, judgeHttp, leaks, type Problem } from './judge.js';
import { anyDocument, anyOperation, type GraphqlRequest } from './operations.js';
import { anyCredential, anyGraphqlBody, anyRequest } from './requests.js';
import { anySocket, converse, type SocketAnswer, type SocketCase } from './sockets.js';
import { anyWebhook, type FuzzedWebhook, signatureOf } from './webhook-bodies.js';
import type { World } from './world.js';

export type Case =
  | {
      readonly kind: 'operation';
      readonly name: string;
      readonly credential: string;
      readonly request: GraphqlRequest;
    }
  | { readonly kind: 'document'; readonly credential: string; readonly request: GraphqlRequest }
  | { readonly kind: 'http'; readonly request: HttpRequest }
  | { readonly kind: 'webhook'; readonly webhook: FuzzedWebhook }
  | { readonly kind: 'socket'; readonly socket: SocketCase };

export interface Outcome {
  /** What was asked, and how it was answered, for counting. */
  readonly counted: string;
  readonly problems: readonly Problem[];
  /** It was accepted and changes something, so that there may be more afterwards. */
  readonly stores: boolean;
}

export function anyCase(schema: GraphQLSchema, { facts }: World): fc.Arbitrary<Case> {
  const credential = anyCredential(facts);
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc
        .tuple(credential, anyOperation(schema, facts, ['query', 'mutation', 'subscription']))
        .map(([one, { name, request }]) => ({ kind: 'operation' as const, name, credential: one, request })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('document' as const),
        credential,
        request: anyDocument(facts),
      }),
    },
    { weight: 6, arbitrary: anyRequest(facts).map((request) => ({ kind: 'http' as const, request })) },
    { weight: 1, arbitrary: anyGraphqlBody(facts).map((request) => ({ kind: 'http' as const, request })) },
    { weight: 4, arbitrary: anyWebhook(facts).map((webhook) => ({ kind: 'webhook' as const, webhook })) },
    { weight: 2, arbitrary: anySocket(schema, facts).map((socket) => ({ kind: 'socket' as const, socket })) },
  );
}

export async function perform(world: World, one: Case): Promise<Outcome> {
  const { port, url } = world.instance;
  switch (one.kind) {
    case 'operation':
    case 'document': {
      const answer = await exchange(port, graphqlOverHttp(one.credential, one.request));
      const name = one.kind === 'operation' ? one.name : 'document';
      return {
        counted: `${name} ${codeOf(answer)}`,
        problems: judgeHttp(world, answer),
        stores: changes(answer, one.request),
      };
    }
    case 'http': {
      const answer = await exchange(port, one.request);
      const [, first = ''] = one.request.path.split(/[/?]/);
      const place = /^[a-z]{1,10}$/.test(first) ? first : 'elsewhere';
      // A visit to a share link is counted; the board shows jobs to an ADMIN as they are.
      return {
        counted: `http ${place} ${answer.status}`,
        problems: judgeHttp(world, answer),
        stores: place === 's' || place === 'graphql',
      };
    }
    case 'webhook': {
      const signature = await signatureOf(one.webhook);
      const headers: [string, string][] = [['Content-Type', 'application/webhook+json']];
      if (signature !== null) headers.push(['Authorization', signature]);
      const answer = await exchange(port, {
        method: 'POST',
        path: '/livekit/webhook',
        headers,
        body: one.webhook.body,
      });
      return {
        counted: `webhook ${one.webhook.signature} ${answer.status}`,
        problems: judgeHttp(world, answer),
        stores: answer.status === 200,
      };
    }
    case 'socket': {
      const answer = await converse(url, world.facts, one.socket);
      return {
        counted: `socket ${answer.code ?? 'none'}`,
        problems: judgeSocket(world, answer),
        stores: false,
      };
    }
  }
}

function graphqlOverHttp(credential: string, request: GraphqlRequest): HttpRequest {
  const headers: [string, string][] = [
    ['Content-Type', 'application/json'],
    ['Authorization', credential],
  ];
  return { method: 'POST', path: '/graphql', headers, body: JSON.stringify(request) };
}

function changes({ status, body }: HttpAnswer, { query }: GraphqlRequest): boolean {
  if (status !== 200 || !query.includes('mutation')) return false;
  const { data, errors } = JSON.parse(body.toString('utf8')) as {
    data?: object | null;
    errors?: readonly GraphqlError[];
  };
  // Refused within what was done, or after an attempt was stored.
  const isStored = (errors ?? []).some(
    ({ extensions, path }) =>
      extensions?.recordingId !== undefined || (Array.isArray(path) && path.length > 1),
  );
  return isStored || Object.values(data ?? {}).some((value) => value !== null);
}

function codeOf({ status, body }: HttpAnswer): string {
  const code = /"code":"([A-Z_]+)"/.exec(body.toString('utf8'))?.[1];
  return code ?? String(status);
}

function judgeSocket(world: World, { messages, code, reason }: SocketAnswer): Problem[] {
  const problems = leaks(world, `${messages.join('\n')}\n${reason}`);
  if (code === 1011 || code === 4500) problems.push(`closed with ${code} ${reason}`);
  for (const message of messages) {
    const { type, payload } = JSON.parse(message) as { type: string; payload?: unknown };
    if (type === 'error') problems.push(...judgeErrors(payload as GraphqlError[]));
    if (type === 'next') problems.push(...judgeErrors((payload as { errors?: GraphqlError[] }).errors ?? []));
  }
  return problems;
}
