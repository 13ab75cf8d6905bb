const RECORDING = `
  fragment Seen on Recording {
    id roomId roomName status version egressId layout preset audioOnly filename sizeBytes durationMs
    requestedAt startedAt endedAt endReason error labels mediaPath
  }`;

const ROOM = `
  fragment SeenRoom on Room {
    id name
    recordingSettings { enabled layout preset audioOnly }
    live { numParticipants numPublishers }
    activeRecording { ...Seen }
  }${RECORDING}`;

export const RECORDINGS = `
  query Recordings($filter: RecordingFilter, $first: Int!, $after: String) {
    recordings(filter: $filter, first: $first, after: $after) {
      nodes { ...Seen }
      pageInfo { hasNextPage endCursor }
      totalCount
      eventCursor
    }
  }${RECORDING}`;

export const ROOMS = `
  query Rooms($first: Int!, $after: String) {
    rooms(first: $first, after: $after) { nodes { ...SeenRoom } pageInfo { hasNextPage endCursor } }
  }${ROOM}`;

export const MEDIA = `
  query Media($id: ID!) { recording(id: $id) { mediaPath mediaUrl(expiresInSeconds: 21600) } }`;

export const HISTORY = `
  query History($id: ID!) {
    recording(id: $id) {
      history(first: 100) { nodes { type at cause recording { version status endReason } } }
    }
  }`;

export const CREATE_ROOM = `
  mutation CreateRoom($input: CreateRoomInput!) { createRoom(input: $input) { ...SeenRoom } }${ROOM}`;

export const START = `
  mutation Start($input: StartRecordingInput!) { startRecording(input: $input) { ...Seen } }${RECORDING}`;

export const STOP = `
  mutation Stop($id: ID!) { stopRecording(id: $id) { ...Seen } }${RECORDING}`;

export const DELETE = `
  mutation Delete($id: ID!) { deleteRecording(id: $id) { id } }`;

export const EVENTS = `
  subscription Events($after: String) {
    recordingEvents(after: $after) { cursor type at cause previousStatus recording { ...Seen } }
  }${RECORDING}`;
