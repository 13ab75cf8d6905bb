import { aRecording, aRecordingId, anEgress, T0 } from '../../../test/support/builders.js';
import { told } from '../../../test/support/told.js';
import type { EgressEndCause, EgressSeen } from '../../livekit/livekit.types.js';
import type { Effect, Fact, RoomAtEnd } from './facts.js';
import type { StoredRecording } from './recording.js';
import { decide } from './recording.machine.js';

const at = (ms: number): number => T0 + ms;
const EGRESS = 'EG_000000000001';
type Shown = Parameters<typeof anEgress>[1];

const seen = (egress: EgressSeen, ms = 60_000, room: RoomAtEnd = 'goes-on'): Fact => ({
  ...{ kind: 'egress-seen', egress, at: at(ms), room },
});
const stops = (effects: readonly Effect[]): Effect[] =>
  effects.filter((effect) => effect.do === 'stop-egress');

const start = aRecording();
const shown = (fields: Shown): EgressSeen => anEgress(start, fields);
const withoutFile = (fields: Shown): EgressSeen => ({ ...shown(fields), file: null });
const active = told(start, seen(shown({ status: 'ACTIVE' }), 2_000)).next;

describe('what LiveKit shows of an egress that begins to end', () => {
  it.each<[EgressEndCause | null, RoomAtEnd, string | null]>([
    ['stop-api', 'goes-on', 'STOP_REQUESTED'],
    ['stop-api', 'over', 'STOP_REQUESTED'],
    ['source-closed', 'over', 'ROOM_ENDED'],
    ['source-closed', 'goes-on', null],
    ['limit-reached', 'goes-on', 'LIMIT_REACHED'],
    [null, 'over', null],
  ])('by %s in a room that is %s: %s', (endCause, room, endReason) => {
    const { next } = told(active, seen(shown({ status: 'ENDING', endCause }), 60_000, room));
    expect(next).toMatchObject({ status: 'ENDING', endReason });
  });

  it('names its reason once: what follows changes nothing before its end', () => {
    const ending = told(active, seen(shown({ status: 'ENDING', endCause: 'source-closed' }))).next;
    const again = seen(shown({ status: 'ENDING', endCause: 'source-closed' }), 61_000, 'over');
    expect(decide(ending, again)).toEqual({ kind: 'ignore' });
  });

  it.each<[string, EgressSeen, number]>([
    ['its file', shown({ status: 'ENDING' }), 2_000],
    ['the egress, where there is no file', withoutFile({ status: 'ENDING' }), 500],
    [
      'the egress, where the file does not say',
      shown({ status: 'ENDING', file: { startedAtMs: null } }),
      500,
    ],
    ['our clock, where nothing says', { ...withoutFile({ status: 'ENDING' }), startedAtMs: null }, 60_000],
  ])('began when %s says, where its beginning was not reported', (_, egress, startedAt) => {
    expect(told(start, seen(egress)).next).toMatchObject({ status: 'ENDING', startedAt: at(startedAt) });
  });

  it('keeps the beginning that was reported, and the name of its file', () => {
    const late = shown({ status: 'ENDING', file: { startedAtMs: at(9_000), filename: 'other.mp4' } });
    const { next } = told(active, seen(late));
    expect(next).toMatchObject({ startedAt: at(2_000), filename: active.filename });
  });
});

describe('a recording whose stop was taken before it was seen to begin', () => {
  const stopped = told(start, { kind: 'stop-taken', egress: null, at: at(1_000) }).next;

  it('learns of its beginning from what is reported late, once', () => {
    expect(stopped.startedAt).toBeNull();
    const { next } = told(stopped, seen(shown({ status: 'ACTIVE' }), 3_000));
    expect(next).toMatchObject({ status: 'ENDING', startedAt: at(2_000) });
    expect(next.filename).toBe(active.filename);
    const other = seen(shown({ status: 'ACTIVE', file: { startedAtMs: at(2_500) } }), 4_000);
    expect(decide(next, other)).toEqual({ kind: 'ignore' });
  });

  it.each([
    ['has no file', withoutFile({ status: 'ACTIVE' })],
    ['has a file that does not say when it began', shown({ status: 'ACTIVE', file: { startedAtMs: null } })],
  ])('learns nothing of it from an egress that %s', (_, egress) => {
    expect(told(stopped, seen(egress, 3_000)).next).toMatchObject({ startedAt: null, filename: null });
  });
});

describe('a start that was cancelled', () => {
  const cancelled = told(start, { kind: 'start-cancelled', at: at(300) }).next;

  it.each(['STARTING', 'ACTIVE'] as const)('has an egress that turns out %s stopped', (status) => {
    const { next, effects } = told(cancelled, seen(shown({ status }), 1_000));
    expect(stops(effects)).toEqual([{ do: 'stop-egress', egressId: EGRESS, why: 'its start was cancelled' }]);
    expect(next).toMatchObject({ status: 'ENDING', endReason: 'START_CANCELLED', startedAt: null });
  });

  it('leaves one alone that is only starting, of what was not cancelled', () => {
    expect(stops(told(start, seen(shown({}), 1_000)).effects)).toHaveLength(0);
  });
});

describe('a recording that becomes active', () => {
  it.each<[string, EgressSeen, number, number]>([
    ['its file', shown({ status: 'ACTIVE' }), 2_000, 2_000],
    [
      'its egress, where the file does not say',
      shown({ status: 'ACTIVE', file: { startedAtMs: null } }),
      500,
      500,
    ],
    ['its egress, where there is no file', withoutFile({ status: 'ACTIVE' }), 500, 500],
    [
      'our clock, where nothing says',
      { ...withoutFile({ status: 'ACTIVE' }), startedAtMs: null },
      3_000,
      3_000,
    ],
    ['a clock that is behind', shown({ status: 'ACTIVE', file: { startedAtMs: at(-9_000) } }), -9_000, 0],
    ['a clock that is ahead', shown({ status: 'ACTIVE', file: { startedAtMs: at(9_000) } }), 9_000, 3_000],
  ])('began when %s says, and its limit counts within what we know', (_, egress, startedAt, activeSince) => {
    expect(told(start, seen(egress, 3_000)).next).toMatchObject({
      ...{ status: 'ACTIVE', startedAt: at(startedAt), upkeep: { activeSince: at(activeSince) } },
    });
  });

  it('is called by the name of its file, whatever folder LiveKit put it into', () => {
    const named = (filename: string): string | null =>
      told(start, seen(shown({ status: 'ACTIVE', file: { filename } }), 3_000)).next.filename;
    expect(named('a/folder/of/it.mp4')).toBe('it.mp4');
    expect(named('it.mp4')).toBe('it.mp4');
    const nameless = { ...withoutFile({ status: 'ACTIVE' }), filepath: null };
    expect(told(start, seen(nameless, 3_000)).next.filename).toBeNull();
  });
});

describe('what an aborted egress says', () => {
  it.each<[EgressEndCause | null, RoomAtEnd, string, string | null]>([
    ['source-closed', 'goes-on', 'RECORDER_LEFT', 'the recorder left the room although the meeting went on'],
    ['source-closed', 'over', 'ROOM_ENDED', null],
    ['streams-stopped', 'over', 'ROOM_ENDED', null],
    [
      'streams-stopped',
      'goes-on',
      'RECORDER_LEFT',
      'the recorder left the room although the meeting went on',
    ],
    ['stop-api', 'goes-on', 'STOP_REQUESTED', null],
    ['process-killed', 'goes-on', 'EGRESS_FAILED', 'its worker was shut down'],
    [null, 'goes-on', 'EGRESS_FAILED', 'its worker was shut down'],
  ])('by %s in a room that is %s: %s', (endCause, room, endReason, error) => {
    const egress = { ...withoutFile({ status: 'ABORTED', endCause }), error: 'its worker was shut down' };
    expect(told(active, seen(egress, 61_000, room)).next).toMatchObject({
      status: 'ABORTED',
      endReason,
      error,
    });
  });

  it('is told to who started it, where it was never active', () => {
    const messageOf = (fields: Shown, room: RoomAtEnd): unknown =>
      told(start, seen({ ...withoutFile({ status: 'ABORTED', ...fields }) }, 3_000, room)).next.upkeep
        .startResult;
    const began = (why: string) => ({
      code: 'RECORDING_START_FAILED',
      message: `recording ${start.id} ended before it was active: ${why}`,
    });
    expect(messageOf({ endCause: 'source-closed' }, 'over')).toEqual(began('its room was closed'));
    expect(messageOf({ endCause: 'failure', error: 'no Chrome' }, 'over')).toEqual(began('no Chrome'));
    expect(messageOf({ endCause: 'failure' }, 'over')).toEqual(began('its egress ended'));
  });

  it('does not change the reason of an end that was ordered', () => {
    const stopped = told(active, { kind: 'stop-taken', egress: null, at: at(50_000) }).next;
    for (const status of ['ABORTED', 'COMPLETE'] as const)
      expect(told(stopped, seen(shown({ status, endCause: 'source-closed' }), 61_000)).next).toMatchObject({
        status,
        endReason: 'STOP_REQUESTED',
        error: null,
      });
  });
});

describe('what LiveKit shows of an egress that is over', () => {
  it.each<[string, EgressSeen, Partial<StoredRecording>]>([
    [
      'COMPLETE',
      shown({ status: 'COMPLETE' }),
      {
        ...{ hasMedia: true, sizeBytes: 646_898, durationMs: 56_000, error: null },
        ...{ startedAt: at(2_000), endedAt: at(58_000) },
      },
    ],
    ['LIMIT_REACHED', shown({ status: 'LIMIT_REACHED' }), { hasMedia: true, endedAt: at(58_000) }],
    [
      'COMPLETE, without its file',
      withoutFile({ status: 'COMPLETE' }),
      { hasMedia: true, startedAt: at(500), endedAt: at(60_000), filename: `${start.id}.mp4` },
    ],
    [
      'COMPLETE, and LiveKit delivered its file to somewhere else',
      shown({ status: 'COMPLETE', mediaProblem: 'it is in a backup', file: { uploaded: false } }),
      { hasMedia: false, error: 'it is in a backup', sizeBytes: null },
    ],
    [
      'COMPLETE, though nothing says that its file was delivered',
      shown({ status: 'COMPLETE', file: { uploaded: false } }),
      { hasMedia: true, error: null },
    ],
    [
      'COMPLETE, with a problem beside its file',
      shown({ status: 'COMPLETE', mediaProblem: 'a part is missing' }),
      { hasMedia: true, error: 'a part is missing' },
    ],
    [
      'FAILED',
      shown({ status: 'FAILED', mediaProblem: 'it is in a backup' }),
      { hasMedia: false, error: 'pipeline frozen', startedAt: null, endedAt: at(60_000) },
    ],
    [
      'FAILED, after its file was delivered',
      shown({ status: 'FAILED', file: { uploaded: true, sizeBytes: 7, endedAtMs: at(9_000) } }),
      { hasMedia: true, sizeBytes: 7, endedAt: at(60_000) },
    ],
    [
      'ABORTED',
      withoutFile({ status: 'ABORTED' }),
      { hasMedia: false, startedAt: null, endedAt: at(60_000) },
    ],
  ])('%s', (_, egress, fields) => {
    const { next } = told(start, seen(egress, 61_000, 'over'));
    expect(next).toMatchObject({ ...fields, status: egress.status });
  });

  it('ended when we heard of it, where LiveKit does not say', () => {
    const silent = { ...withoutFile({ status: 'FAILED' }), endedAtMs: null };
    expect(told(active, seen(silent, 61_000)).next.endedAt).toBe(at(61_000));
  });

  it('keeps the beginning that was reported', () => {
    const end = shown({ status: 'COMPLETE', file: { startedAtMs: at(7_000) } });
    expect(told(active, seen(end, 61_000)).next.startedAt).toBe(at(2_000));
  });
});

describe('what is reported of an egress after its recording is final', () => {
  const failed = told(active, seen(withoutFile({ status: 'FAILED' }))).next;
  const timedOut = told(start, { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) }).next;

  it('stops one that runs, and leaves one that ends already', () => {
    expect(stops(told(timedOut, seen(shown({ status: 'ACTIVE' }))).effects)).toHaveLength(1);
    expect(stops(told(timedOut, seen(shown({ status: 'ENDING' }))).effects)).toHaveLength(0);
  });

  it('shows media that it left after all, and nothing of one that left none', () => {
    const uploaded = { uploaded: true, sizeBytes: 7 };
    expect(told(failed, seen(shown({ status: 'FAILED', file: uploaded }))).next).toMatchObject({
      ...{ status: 'FAILED', hasMedia: true, sizeBytes: 7 },
    });
    expect(decide(failed, seen(withoutFile({ status: 'FAILED' }), 70_000))).toEqual({ kind: 'ignore' });
    expect(decide(failed, seen(shown({ status: 'FAILED' }), 70_000))).toEqual({ kind: 'ignore' });
  });

  it('removes what it left of a recording that was deleted meanwhile', () => {
    const { next: deleted } = told(
      timedOut,
      { kind: 'deletion-requested', by: 'somebody', at: at(21_000) },
      { kind: 'deleted', at: at(22_000) },
    );
    const { next, effects } = told(deleted, seen(shown({ status: 'COMPLETE' }), 30_000));
    expect(effects).toContainEqual({ do: 'finish-deletion', at: at(30_000) });
    expect(next).toMatchObject({ version: deleted.version, hasMedia: false });
  });
});

describe('which egress is the one of a recording', () => {
  const further = (roomSid: string | null): StoredRecording =>
    aRecording({ continues: aRecordingId(), roomSid });

  it.each<[string, string | null, string | null, string]>([
    ['the session that was recorded', 'RM_1', 'RM_1', 'STARTING'],
    ['another one', 'RM_1', 'RM_2', 'ENDING'],
    ['one that LiveKit does not name', 'RM_1', null, 'STARTING'],
    ['any, where the one before was never named', null, 'RM_2', 'STARTING'],
  ])('a continuation records %s', (_, recorded, roomSid, status) => {
    const recording = further(recorded);
    expect(told(recording, seen(anEgress(recording, { roomSid }), 1_000)).next.status).toBe(status);
  });

  it('is the first one named, and a second one is stopped while it runs', () => {
    const second = (fields: Shown): EgressSeen => ({ ...shown(fields), egressId: 'EG_000000000002' });
    const { next, effects } = told(active, seen(second({ status: 'ACTIVE' })));
    expect(next.egressId).toBe(EGRESS);
    expect(stops(effects)).toMatchObject([{ egressId: 'EG_000000000002' }]);
    expect(stops(told(active, seen(second({ status: 'FAILED' }))).effects)).toHaveLength(0);
  });

  it('is none that LiveKit does not name', () => {
    expect(decide(start, seen({ ...shown({ status: 'ACTIVE' }), egressId: '' }))).toEqual({ kind: 'ignore' });
  });

  it('is over once it was reported so, whatever a late report says', () => {
    const once = aRecording({
      ...{ status: 'ACTIVE', egressId: EGRESS, startedAt: at(2_000) },
      upkeep: { egresses: { [EGRESS]: 'over' } },
    });
    expect(decide(once, seen(shown({ status: 'ENDING' })))).toEqual({ kind: 'ignore' });
  });

  it('shows that its request was sent, where Redis has forgotten it', () => {
    const sentAt = (startSentAt: number | null): unknown =>
      told(aRecording({ upkeep: { startSentAt } }), seen(shown({}), 1_000)).next.upkeep.startSentAt;
    expect(sentAt(null)).toBe(T0);
    expect(sentAt(at(40))).toBe(at(40));
  });

  it('is refused in another meeting only while it starts, and only of a continuation', () => {
    const other = { roomSid: 'RM_2' };
    for (const [recording, status] of [
      [aRecording({ roomSid: 'RM_1' }), 'STARTING'],
      [aRecording({ roomSid: 'RM_1', continues: aRecordingId(), status: 'ACTIVE' }), 'ACTIVE'],
    ] as const)
      expect(told(recording, seen(anEgress(recording, other), 1_000)).next.status).toBe(status);
    const gone = told(further('RM_1'), seen(shown({ ...other, status: 'FAILED' }), 1_000)).next;
    expect(gone).toMatchObject({ status: 'FAILED', endReason: 'EGRESS_FAILED' });
  });

  it('that is over says nothing of the absence of another', () => {
    const absence = { looks: 1, firstAt: at(1_000), lastAt: at(1_000) };
    const both = aRecording({
      ...{ status: 'ACTIVE', egressId: 'EG_000000000002', startedAt: at(2_000) },
      upkeep: { egresses: { [EGRESS]: 'live', EG_000000000002: 'live' }, absence },
    });
    expect(told(both, seen(shown({ status: 'FAILED' }))).next.upkeep.absence).toEqual(absence);
    expect(told(both, seen(shown({ status: 'STARTING' }))).next.upkeep.absence).toBeNull();
  });

  it('once seen, ends the time in which others could come of a start that went unanswered', () => {
    const unknown = told(start, { kind: 'start-unknown', answered: true, why: '503', at: at(1_000) }).next;
    expect(unknown.upkeep.startPendingUntil).toBe(at(6_000));
    expect(told(unknown, seen(shown({}), 2_000)).next.upkeep.startPendingUntil).toBe(at(2_000));
    expect(told(unknown, seen(shown({}), 9_000)).next.upkeep.startPendingUntil).toBe(at(6_000));
  });
});
