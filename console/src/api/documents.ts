import { graphql, introspection } from './typed.js';

export const SEEN = graphql(`
  fragment Seen on Recording {
    id
    roomId
    roomName
    status
    version
    egressId
    layout
    preset
    audioOnly
    filename
    sizeBytes
    durationMs
    requestedAt
    startedAt
    endedAt
    endReason
    error
    labels
    mediaPath
    continues {
      id
    }
    continuedBy {
      id
    }
  }
`);

export const RECORDINGS = graphql(
  `
    query Recordings($filter: RecordingFilter, $sort: RecordingSort, $first: Int!, $after: String) {
      recordings(filter: $filter, sort: $sort, first: $first, after: $after) {
        nodes {
          ...Seen
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
        eventCursor
      }
    }
  `,
  [SEEN],
);

export const RECORDING_IDS = graphql(`
  query RecordingIds($filter: RecordingFilter, $sort: RecordingSort, $after: String) {
    recordings(filter: $filter, sort: $sort, first: 100, after: $after) {
      nodes {
        id
        status
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const VIEWER = graphql(`
  query Viewer {
    viewer {
      name
      role
      mayDelete
      roomIds
    }
  }
`);

interface Names {
  readonly fields?: readonly { readonly name: string }[];
  readonly inputFields?: readonly { readonly name: string }[];
}
/** Which parts of the contract this server serves: a page may be newer than its server. */
export const SERVED = introspection<Readonly<Record<'recording' | 'settings', Names>>>(`
  query Served {
    recording: __type(name: "Recording") { fields { name } }
    settings: __type(name: "RoomRecordingSettingsInput") { inputFields { name } }
  }
`);

export const NOW = graphql(
  `
    query Now {
      recordings(filter: { statuses: [STARTING, ACTIVE, ENDING] }, first: 50) {
        nodes {
          ...Seen
          room {
            live {
              numParticipants
            }
          }
        }
        totalCount
        eventCursor
      }
    }
  `,
  [SEEN],
);

export const ENDED_BADLY = graphql(
  `
    query EndedBadly($since: DateTime!) {
      recordings(filter: { statuses: [FAILED, ABORTED], requestedAfter: $since }, first: 50) {
        nodes {
          ...Seen
        }
      }
    }
  `,
  [SEEN],
);

export const SYSTEM_FOR_ALL = graphql(`
  query SystemForAll {
    system {
      state
      recorders {
        kind
        availability
        since
      }
    }
  }
`);

export const SYSTEM = graphql(`
  query System {
    system {
      state
      version
      unexplained
      checks {
        name
        state
        since
        detail
      }
      recorders {
        kind
        availability
        since
      }
      incidents(first: 20) {
        id
        kind
        subject
        detail
        openedAt
        closedAt
      }
    }
  }
`);

export const RECORDING = graphql(
  `
    query Recording($id: ID!) {
      recording(id: $id) {
        ...Seen
        updatedAt
        roomSid
        room {
          id
          live {
            numParticipants
            numPublishers
          }
        }
        history(first: 100) {
          nodes {
            type
            at
            cause
            previousStatus
            recording {
              version
              status
              endReason
              error
              egressId
            }
          }
          pageInfo {
            hasNextPage
          }
        }
      }
    }
  `,
  [SEEN],
);

/** Another part of the same meeting. */
export const PART = graphql(
  `
    query Part($id: ID!) {
      recording(id: $id) {
        ...Seen
      }
    }
  `,
  [SEEN],
);

export const COVERAGE = graphql(`
  query Coverage($id: ID!) {
    recording(id: $id) {
      coverage {
        expectedMs
        coveredMs
        gaps {
          from
          to
          cause
        }
      }
    }
  }
`);

/** Asked for where it is served: `Recording.livePath`. */
export const LIVE = graphql(`
  query Live($id: ID!) {
    recording(id: $id) {
      livePath
    }
  }
`);

/** Asked for where it is served: `Recording.recovered`. */
export const RECOVERED = graphql(`
  query Recovered($id: ID!) {
    recording(id: $id) {
      recovered
    }
  }
`);

export const MEDIA = graphql(`
  query Media($id: ID!) {
    recording(id: $id) {
      mediaPath
      mediaUrl(expiresInSeconds: 21600)
    }
  }
`);

export const SHARE_LINKS = graphql(`
  query ShareLinks($id: ID!) {
    recording(id: $id) {
      shareLinks {
        id
        createdAt
        createdBy
        expiresAt
        maxViews
        views
        allowDownload
        lastViewedAt
        revokedAt
      }
    }
  }
`);

export const CREATE_SHARE_LINK = graphql(`
  mutation CreateShareLink($input: CreateShareLinkInput!) {
    createShareLink(input: $input) {
      url
    }
  }
`);

export const REVOKE_SHARE_LINK = graphql(`
  mutation RevokeShareLink($id: ID!) {
    revokeShareLink(id: $id) {
      id
    }
  }
`);

export const START = graphql(
  `
    mutation Start($input: StartRecordingInput!) {
      startRecording(input: $input) {
        ...Seen
      }
    }
  `,
  [SEEN],
);

export const STOP = graphql(
  `
    mutation Stop($id: ID!) {
      stopRecording(id: $id) {
        ...Seen
      }
    }
  `,
  [SEEN],
);

export const DELETE = graphql(`
  mutation Delete($id: ID!) {
    deleteRecording(id: $id) {
      id
    }
  }
`);

const PROGRESS = graphql(`
  fragment Progress on BulkDeletion {
    id
    status
    dryRun
    total
    deletedCount
    failedCount
    createdAt
    finishedAt
    failures(first: 100) {
      recordingId
      code
      message
      attempts
    }
  }
`);

export const DELETE_MANY = graphql(
  `
    mutation DeleteMany($ids: [ID!]!, $dryRun: Boolean!) {
      deleteRecordings(ids: $ids, dryRun: $dryRun) {
        ...Progress
      }
    }
  `,
  [PROGRESS],
);

export const BULK_DELETION = graphql(
  `
    query BulkDeletion($id: ID!) {
      bulkDeletion(id: $id) {
        ...Progress
      }
    }
  `,
  [PROGRESS],
);

export const EVENTS = graphql(
  `
    subscription Events($after: String) {
      recordingEvents(after: $after) {
        cursor
        type
        at
        cause
        previousStatus
        recording {
          ...Seen
        }
      }
    }
  `,
  [SEEN],
);
