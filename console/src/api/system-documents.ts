import { graphql } from './typed.js';

const RUN = graphql(`
  fragment Run on SweepRun {
    id
    name
    dryRun
    startedAt
    finishedAt
    examined
    acted
    failed
    findings(first: 50) {
      kind
      subject
      action
      detail
    }
  }
`);
export const SWEEPS = graphql(
  `
    query Sweeps {
      sweeps {
        name
        intervalMs
        lastRun {
          ...Run
        }
      }
    }
  `,
  [RUN],
);
export const RUN_SWEEP = graphql(
  `
    mutation RunSweep($name: SweepName!, $dryRun: Boolean!) {
      runSweep(name: $name, dryRun: $dryRun) {
        ...Run
      }
    }
  `,
  [RUN],
);

export const API_KEYS = graphql(`
  query ApiKeys($after: String) {
    apiKeys(first: 50, after: $after) {
      nodes {
        id
        name
        prefix
        role
        roomIds
        createdAt
        createdBy
        expiresAt
        lastUsedAt
        revokedAt
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`);
export const CREATE_API_KEY = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      secret
    }
  }
`);
export const ROTATE_API_KEY = graphql(`
  mutation RotateApiKey($id: ID!) {
    rotateApiKey(id: $id) {
      secret
    }
  }
`);
export const REVOKE_API_KEY = graphql(`
  mutation RevokeApiKey($id: ID!) {
    revokeApiKey(id: $id) {
      id
    }
  }
`);

const DELIVERY = graphql(`
  fragment Delivery on WebhookDelivery {
    id
    type
    recordingId
    status
    createdAt
    nextAttemptAt
    attempts {
      at
      httpStatus
      durationMs
      error
    }
  }
`);
export const WEBHOOKS = graphql(`
  query Webhooks {
    webhookEndpoints {
      id
      url
      events
      roomIds
      enabled
      disabledReason
      failingSince
      backlog
      createdAt
    }
  }
`);
export const DELIVERIES = graphql(
  `
    query Deliveries($id: ID!) {
      webhookEndpoint(id: $id) {
        deliveries(first: 20) {
          nodes {
            ...Delivery
          }
        }
      }
    }
  `,
  [DELIVERY],
);
export const CREATE_WEBHOOK = graphql(`
  mutation CreateWebhook($input: CreateWebhookEndpointInput!) {
    createWebhookEndpoint(input: $input) {
      secret
    }
  }
`);
export const UPDATE_WEBHOOK = graphql(`
  mutation UpdateWebhook($input: UpdateWebhookEndpointInput!) {
    updateWebhookEndpoint(input: $input) {
      id
    }
  }
`);
export const DELETE_WEBHOOK = graphql(`
  mutation DeleteWebhook($id: ID!) {
    deleteWebhookEndpoint(id: $id) {
      id
    }
  }
`);
export const TEST_WEBHOOK = graphql(
  `
    mutation TestWebhook($id: ID!) {
      testWebhookEndpoint(id: $id) {
        ...Delivery
      }
    }
  `,
  [DELIVERY],
);
export const REDELIVER = graphql(
  `
    mutation Redeliver($id: ID!) {
      redeliverWebhook(deliveryId: $id) {
        ...Delivery
      }
    }
  `,
  [DELIVERY],
);

export const AUDIT = graphql(`
  query Audit($after: String) {
    auditLog(first: 50, after: $after) {
      nodes {
        at
        actor
        action
        subject
        detail
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);
