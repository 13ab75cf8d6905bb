/** @jsxImportSource react */
import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { useMemo, useRef } from 'react';
import { serverUrl } from '../api/graphql.js';
import { authorizationIn, FIRST_QUERY, headersFor, withAuthorization } from './headers.js';

export function Explorer({ credential }: { credential: string }) {
  const first = useMemo(() => headersFor(credential), [credential]);
  const headers = useRef(first);
  const fetcher = useMemo(() => createFetcher(() => headers.current), []);
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultQuery={FIRST_QUERY}
      headers={first}
      onEditHeaders={(edited) => {
        headers.current = edited;
      }}
      defaultEditorToolsVisibility="headers"
    />
  );
}

/** Sends what the header editor says, also with the first look at the schema, which comes before there is an editor. */
function createFetcher(headers: () => string): Fetcher {
  const url = serverUrl('graphql').href;
  const send = createGraphiQLFetcher({
    url,
    // No connection outlives its subscriptions, so that an edited header is a new greeting.
    wsClient: createClient({
      url: url.replace(/^http/, 'ws'),
      connectionParams: () => ({ authorization: authorizationIn(headers()) }),
    }),
  });
  return (operation, options) =>
    send(operation, { ...options, headers: withAuthorization(options?.headers ?? {}, headers()) });
}
