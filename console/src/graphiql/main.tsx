/** @jsxImportSource react */
import 'graphiql/style.css';
import './graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { serverUrl } from '../api/graphql.js';
import { storedKey, takeKeyFromAddress } from '../state/session.js';
import { authorizationIn, FIRST_QUERY, headersFor } from './headers.js';

takeKeyFromAddress();

let headers = headersFor(storedKey());
const url = serverUrl('graphql').href;
const fetcher = createGraphiQLFetcher({
  url,
  wsClient: createClient({
    url: url.replace(/^http/, 'ws'),
    // A connection per subscription, so that a changed header is a new greeting.
    lazyCloseTimeout: 0,
    connectionParams: () => ({ authorization: authorizationIn(headers) }),
  }),
});

const root = document.getElementById('graphiql');
if (root) {
  createRoot(root).render(
    <GraphiQL
      fetcher={fetcher}
      defaultQuery={FIRST_QUERY}
      defaultHeaders={headers}
      headers={headers}
      onEditHeaders={(edited) => {
        headers = edited;
      }}
      defaultEditorToolsVisibility="headers"
    />,
  );
}
