import { deflateRawSync } from 'node:zlib';
import { aRecording, T0 } from '../../../test/support/builders.js';
import type { StoredRecording } from '../domain/recording.js';
import { changesBetween } from './history.js';
import type { HistoryEntry } from './recording.store.js';
import { packDocument, packHistory, readRow } from './stored-row.js';

describe('a row in Redis', () => {
  const recording = aRecording({ labels: { team: 'ä', deep: { n: [1, null] } }, egressId: 'EG_1' });
  const requested: HistoryEntry = {
    ...{ position: { epoch: 'e0', id: '1-0' }, version: 1, type: 'REQUESTED', previousStatus: null },
    ...{ at: T0, cause: 'key:admin', changes: changesBetween(null, recording) },
  };
  const active: HistoryEntry = {
    ...{
      position: { epoch: 'e1', id: '2-0' },
      version: 2,
      type: 'STATUS_CHANGED',
      previousStatus: 'STARTING',
    },
    ...{ at: T0 + 1, cause: 'livekit', changes: { status: 'ACTIVE' } },
  };
  /** As the scripts put it together. */
  const row = (document: Buffer, kind: string, pieces: readonly (readonly [string, Buffer])[]): Buffer =>
    Buffer.concat([
      Buffer.from(`2 7 token - 2-0 ${kind}${document.length}\nACTIVE ${T0} room-1\neg_1\nä\n\n`),
      document,
      ...pieces.flatMap(([head, piece]) => [Buffer.from(`${head} ${piece.length}\n`), piece]),
    ]);
  const withoutPosition = ({ position: _position, ...entry }: HistoryEntry): Omit<HistoryEntry, 'position'> =>
    entry;

  it('gives back the recording and its history, an entry of this log with the position of its commit', () => {
    const read = readRow(
      row(packDocument(recording), 'd', [
        ['h-', packHistory([requested], recording)],
        ['h2-0', packHistory([withoutPosition(active)], recording)],
      ]),
    );
    expect(read.recording).toEqual(recording);
    expect(read.history('e1')).toEqual([requested, active]);
  });

  it('keeps what the first entry says otherwise than the document', () => {
    const renamed: StoredRecording = { ...recording, roomName: 'Another' };
    const read = readRow(row(packDocument(renamed), 'd', [['h-', packHistory([requested], renamed)]]));
    expect(read.history('e1')).toEqual([requested]);
  });

  it('reads the document and the lines of history of an earlier version, and what came after them', () => {
    const line = `e0/1-0 ${JSON.stringify(withoutPosition(requested))}`;
    const read = readRow(
      row(Buffer.from(JSON.stringify(recording)), 'D', [
        ['H-', Buffer.from(line)],
        ['h2-0', packHistory([withoutPosition(active)], recording)],
      ]),
    );
    expect(read.recording).toEqual(recording);
    expect(read.history('e1')).toEqual([requested, active]);
  });

  it('reads what was written with the words that are left out, which are never to change', () => {
    const written = Buffer.from('q0bOIE75iUVQj2IkWLTCAQA=', 'base64');
    const read = readRow(row(written, 'd', []));
    expect(read.recording).toEqual({ roomName: 'Board', status: 'COMPLETE', hasMedia: true });
  });

  it('is refused where it is of no format that is known', () => {
    expect(() => readRow(Buffer.from('3 what\n\nelse'))).toThrow(
      'a format that this version does not read: 3',
    );
    const plain = row(deflateRawSync(Buffer.from('{}')), 'x', []);
    expect(() => readRow(plain)).toThrow('a format that this version does not read');
  });
});
