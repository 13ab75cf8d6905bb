import type { GraphqlDoor } from './app.js';

/** The recording's fields that tests look at. */
export const FIELDS =
  'id roomId status version egressId endReason error sizeBytes durationMs mediaPath startedAt endedAt labels filename';

export interface RecordingSeen {
  readonly id: string;
  readonly roomId: string;
  readonly status: string;
  readonly version: number;
  readonly egressId: string | null;
  readonly endReason: string | null;
  readonly error: string | null;
  readonly sizeBytes: number | null;
  readonly durationMs: number | null;
  readonly mediaPath: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly filename: string | null;
}

export const START = `mutation Start($input: StartRecordingInput!) { startRecording(input: $input) { ${FIELDS} } }`;
export const STOP = `mutation Stop($id: ID!) { stopRecording(id: $id) { ${FIELDS} } }`;
export const DELETE = `mutation Delete($id: ID!) { deleteRecording(id: $id) { ${FIELDS} } }`;

export interface StartSeen {
  readonly code: string | null;
  readonly recording: RecordingSeen | null;
  readonly recordingId: string | null;
}

export async function createRoom(
  instance: GraphqlDoor,
  id: string,
  recordingSettings: object = {},
): Promise<void> {
  const answer = await instance.graphql(
    'mutation($input: CreateRoomInput!) { createRoom(input: $input) { id } }',
    {
      input: { id, name: id, recordingSettings: { audioOnly: true, ...recordingSettings } },
    },
  );
  if (answer.code !== null) throw new Error(`createRoom: ${answer.code} ${answer.errors[0]?.message}`);
}

export async function startIn(
  instance: GraphqlDoor,
  roomId: string,
  more: object = {},
  key?: string,
): Promise<StartSeen> {
  const answer = await instance.graphql<{ startRecording: RecordingSeen } | null>(
    START,
    { input: { roomId, ...more } },
    key,
  );
  const recordingId = answer.errors[0]?.extensions.recordingId;
  return {
    code: answer.code,
    recording: answer.data?.startRecording ?? null,
    recordingId: typeof recordingId === 'string' ? recordingId : null,
  };
}

export async function readRecording(instance: GraphqlDoor, id: string): Promise<RecordingSeen> {
  const answer = await instance.graphql<{ recording: RecordingSeen | null }>(
    `query($id: ID!) { recording(id: $id) { ${FIELDS} } }`,
    { id },
  );
  if (answer.data?.recording == null) throw new Error(`recording ${id}: ${answer.code}`);
  return answer.data.recording;
}
