import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { Recording, RecordingStatus } from '../../recordings/domain/recording.js';
import type { WebhookEventType } from './endpoint.js';
import { type LoggedChange, messageOfChange, messageOfIncident, wordOf } from './message.js';

const PATHS = {
  path: (id: string) => `/recordings/${id}/media`,
  livePath: (id: string) => `/recordings/${id}/live.m3u8`,
};

type ChangeType = Exclude<WebhookEventType, 'INCIDENT_OPENED' | 'INCIDENT_CLOSED'>;

const CHANGE: Readonly<
  Record<
    ChangeType,
    {
      readonly type: LoggedChange['type'];
      readonly status: RecordingStatus;
      readonly previous: RecordingStatus | null;
    }
  >
> = {
  RECORDING_REQUESTED: { type: 'REQUESTED', status: 'STARTING', previous: null },
  RECORDING_STARTED: { type: 'STATUS_CHANGED', status: 'ACTIVE', previous: 'STARTING' },
  RECORDING_UPDATED: { type: 'UPDATED', status: 'ACTIVE', previous: null },
  RECORDING_ENDED: { type: 'STATUS_CHANGED', status: 'COMPLETE', previous: 'ENDING' },
  RECORDING_DELETED: { type: 'DELETED', status: 'COMPLETE', previous: null },
};

/** A body that looks like a real one and says that it is none: `test` is true in it. */
export function exampleOf(type: WebhookEventType, now: number): string {
  const { body } =
    type === 'INCIDENT_OPENED' || type === 'INCIDENT_CLOSED'
      ? messageOfIncident(type, {
          ...{ id: 'inc_00000000000000000000000000', kind: 'no_workers', subject: 'workers' },
          ...{ detail: 'an example; nothing is wrong', openedAt: now - 60_000 },
          ...(type === 'INCIDENT_CLOSED' && { closedAt: now }),
        })
      : messageOfChange(changeOf(type, now), PATHS);
  return JSON.stringify({ ...(JSON.parse(body) as object), type: wordOf(type), test: true });
}

function changeOf(type: ChangeType, at: number): LoggedChange {
  const { type: kind, status, previous } = CHANGE[type];
  const isOver = status === 'COMPLETE';
  const recording: Recording = {
    ...{
      id: 'rec_00000000000000000000000000' as RecordingId,
      roomId: 'example' as RoomId,
      roomName: 'Example',
    },
    ...{
      status,
      version: 3,
      egressId: 'EG_example',
      layout: 'GRID',
      preset: 'H264_720P_30',
      audioOnly: false,
      crashProof: false,
      recovered: false,
    },
    ...{ filename: isOver ? 'example.mp4' : null, sizeBytes: isOver ? 1_048_576 : null },
    ...{ durationMs: isOver ? 60_000 : null, requestedAt: at - 62_000, startedAt: at - 60_000 },
    ...{
      endedAt: isOver ? at : null,
      updatedAt: at,
      endReason: isOver ? 'STOP_REQUESTED' : null,
      error: null,
    },
    ...{ labels: { example: true }, continues: null, continuedBy: null, roomSid: null, hasMedia: isOver },
  };
  return { type: kind, at, cause: 'example', previousStatus: previous, recording };
}
