import { SEEN } from './documents.js';
import { graphql } from './typed.js';

export const SEEN_ROOM = graphql(
  `
    fragment SeenRoom on Room {
      id
      name
      known
      createdAt
      recordingSettings {
        enabled
        layout
        preset
        audioOnly
        maxDurationMs
        retentionDays
        restartWhenLost
        autoRecordFrom
      }
      live {
        sid
        numParticipants
        numPublishers
        createdAt
      }
      activeRecording {
        ...Seen
      }
    }
  `,
  [SEEN],
);

export const ROOMS = graphql(
  `
    query Rooms($nameContains: String, $open: Boolean, $first: Int!, $after: String) {
      rooms(nameContains: $nameContains, open: $open, first: $first, after: $after) {
        nodes {
          ...SeenRoom
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
      }
    }
  `,
  [SEEN_ROOM],
);

export const ROOM_NAMES = graphql(`
  query RoomNames($nameContains: String) {
    rooms(nameContains: $nameContains, first: 50) {
      nodes {
        id
        name
      }
    }
  }
`);

/** Asked for where it is served: `RoomRecordingSettingsInput.crashProof`. */
export const CRASH_PROOF = graphql(`
  query CrashProof($id: ID!) {
    room(id: $id) {
      recordingSettings {
        crashProof
      }
    }
  }
`);

export const CREATE_ROOM = graphql(`
  mutation CreateRoom($input: CreateRoomInput!) {
    createRoom(input: $input) {
      id
    }
  }
`);

export const UPDATE_ROOM = graphql(`
  mutation UpdateRoom($input: UpdateRoomInput!) {
    updateRoom(input: $input) {
      id
    }
  }
`);

export const DELETE_ROOM = graphql(`
  mutation DeleteRoom($id: ID!, $recordings: RoomRecordingsPolicy!) {
    deleteRoom(id: $id, recordings: $recordings) {
      id
      deletion {
        id
      }
    }
  }
`);
