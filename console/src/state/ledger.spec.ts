import type { Recording, RecordingEvent, RecordingPage } from '../api/contract.js';
import {
  addEvent,
  addPage,
  addSeen,
  dropDeleted,
  EVERYTHING,
  inProgress,
  listed,
  openLedger,
} from './ledger.js';

const aRecording = (some: Partial<Recording> & { id: string }): Recording => ({
  roomId: 'room-1',
  roomName: 'Room one',
  status: 'COMPLETE',
  version: 1,
  egressId: null,
  layout: 'GRID',
  preset: 'H264_720P_30',
  audioOnly: false,
  filename: null,
  sizeBytes: null,
  durationMs: null,
  requestedAt: '2026-11-22T10:00:00.000Z',
  startedAt: null,
  endedAt: null,
  endReason: null,
  error: null,
  labels: {},
  mediaPath: null,
  ...some,
});

const aPage = (nodes: Recording[], { more = false, total = nodes.length } = {}): RecordingPage => ({
  nodes,
  pageInfo: { hasNextPage: more, endCursor: more ? 'next' : null },
  totalCount: total,
  eventCursor: 'c0',
});

const anEvent = (recording: Recording, some: Partial<RecordingEvent> = {}): RecordingEvent => ({
  cursor: 'c1',
  type: 'STATUS_CHANGED',
  at: recording.requestedAt,
  cause: 'livekit',
  previousStatus: null,
  recording,
  ...some,
});

const at = (minute: number): string => `2026-11-22T10:${String(minute).padStart(2, '0')}:00.000Z`;
const ids = (recordings: Recording[]): string[] => recordings.map((r) => r.id);

describe('what the console knows of recordings', () => {
  test('an older view never overwrites a newer one, whichever way each came', () => {
    const newer = aRecording({ id: 'a', status: 'COMPLETE', version: 4 });
    const older = aRecording({ id: 'a', status: 'ACTIVE', version: 2 });
    const ledger = openLedger(EVERYTHING, aPage([newer]));
    for (const after of [
      addSeen(ledger, older),
      addEvent(ledger, anEvent(older)),
      addPage(ledger, aPage([older])),
    ]) {
      expect(listed(after)).toEqual([newer]);
    }
  });

  test('the newest request stands first, also when its event comes last', () => {
    let ledger = openLedger(EVERYTHING, aPage([aRecording({ id: 'a', requestedAt: at(5) })]));
    ledger = addEvent(ledger, anEvent(aRecording({ id: 'b', requestedAt: at(9) }), { type: 'REQUESTED' }));
    expect(ids(listed(ledger))).toEqual(['b', 'a']);
  });

  test('a recording older than the last page waits for its page, and comes as new as its event told', () => {
    const old = aRecording({ id: 'old', requestedAt: at(1), version: 3 });
    let ledger = openLedger(
      EVERYTHING,
      aPage([aRecording({ id: 'a', requestedAt: at(5) })], { more: true, total: 2 }),
    );
    ledger = addEvent(ledger, anEvent({ ...old, version: 4, error: 'found later' }, { type: 'UPDATED' }));
    expect(ids(listed(ledger))).toEqual(['a']);
    ledger = addPage(ledger, aPage([old]));
    expect(listed(ledger).map((r) => [r.id, r.version])).toEqual([
      ['a', 1],
      ['old', 4],
    ]);
  });

  test('a deleted recording stays away although an answer from before still shows it', () => {
    const a = aRecording({ id: 'a', version: 4 });
    let ledger = openLedger(EVERYTHING, aPage([a]));
    ledger = addEvent(ledger, anEvent({ ...a, version: 5 }, { type: 'DELETED' }));
    expect(listed(addPage(ledger, aPage([a])))).toEqual([]);
    expect(listed(openLedger(EVERYTHING, aPage([a]), ledger.deleted))).toEqual([]);
  });

  test('the total follows the events, each counted once', () => {
    const a = aRecording({ id: 'a', version: 1, status: 'STARTING' });
    const b = aRecording({ id: 'b', version: 1, status: 'STARTING' });
    let ledger = openLedger(EVERYTHING, aPage([a], { total: 7 }));
    ledger = addEvent(ledger, anEvent(a, { type: 'REQUESTED' }));
    expect(ledger.total).toBe(7);
    ledger = addEvent(addSeen(ledger, b), anEvent(b, { type: 'REQUESTED' }));
    expect(ledger.total).toBe(8);
    ledger = dropDeleted(ledger, 'b');
    ledger = addEvent(ledger, anEvent({ ...b, version: 2 }, { type: 'DELETED' }));
    expect(ledger.total).toBe(7);
  });

  test('a recording that leaves the filter leaves the list and the total', () => {
    const running = aRecording({ id: 'a', status: 'ENDING', version: 3 });
    const filter = { roomId: null, statuses: ['STARTING', 'ACTIVE', 'ENDING'] } as const;
    let ledger = openLedger(filter, aPage([running]));
    const ended = aRecording({ id: 'a', status: 'COMPLETE', version: 4 });
    ledger = addEvent(ledger, anEvent(ended, { previousStatus: 'ENDING' }));
    expect([listed(ledger), ledger.total]).toEqual([[], 0]);
  });

  test('a filter on one room hides the others but not what they record', () => {
    let ledger = openLedger({ roomId: 'room-1', statuses: null }, aPage([]));
    const other = aRecording({ id: 'b', roomId: 'room-2', status: 'ACTIVE' });
    ledger = addEvent(ledger, anEvent(other, { type: 'REQUESTED' }));
    expect([listed(ledger), ledger.total]).toEqual([[], 0]);
    expect(inProgress(ledger, 'room-2')?.id).toBe('b');
    expect(inProgress(ledger, 'room-1')).toBeNull();
  });
});
