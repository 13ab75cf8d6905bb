import { newRecordingId, parseRoomId } from '../../kernel/ids.js';
import type { EgressBucket } from '../../livekit/livekit.types.js';
import type { ObjectStorage } from '../../storage/object-storage.port.js';
import { mediaKey } from '../../storage/object-keys.js';
import { anEgress } from '../../../test/support/builders.js';
import { OwnEgresses } from './own-egresses.js';

const recording = {
  id: newRecordingId(1_700_000_000_000),
  roomId: parseRoomId('standup')!,
  audioOnly: false,
  crashProof: false,
};
const key = mediaKey(recording);
const S3 = {
  ...{ kind: 's3', bucket: 'rec', region: 'us-east-1', endpoint: 'http://s3.test:9000' },
  ...{ accessKeyId: null, secretAccessKey: null, forcePathStyle: true, deployment: 'prod' },
} as const;

const toBucket = new OwnEgresses({
  egressOutput: (path: string) => ({ ...S3, filepath: `tl/${path}` }),
} as ObjectStorage);
const toFolder = new OwnEgresses({
  egressOutput: (path: string) => ({ kind: 'file', filepath: `/rec/${path}` }),
} as ObjectStorage);

const at = (fields: Partial<EgressBucket> = {}): EgressBucket => ({
  ...{ name: 'rec', endpoint: 'http://s3.test:9000', deployment: 'prod' },
  ...fields,
});

describe('whose an egress is', () => {
  it.each([
    ['with our mark', at(), 'ours'],
    ['from before there were marks', at({ deployment: null }), 'ours'],
    ['at another spelling of our endpoint', at({ endpoint: 'HTTP://S3.test:9000/' }), 'ours'],
    ['of another deployment on our bucket', at({ deployment: 'staging' }), 'stranger'],
    ['in another bucket', at({ name: 'staging' }), 'stranger'],
    ['at another endpoint', at({ endpoint: 'http://other.test:9000' }), 'stranger'],
    ['to no bucket', null, 'stranger'],
  ])('%s', (_, bucket, owner) => {
    const egress = anEgress(recording, { filepath: `tl/${key}`, bucket });
    expect(toBucket.ownerOf(egress)).toEqual({ owner, recordingId: recording.id });
    expect(toBucket.recordingOf(egress)).toBe(owner === 'ours' ? recording.id : null);
  });

  it("of another room than its key says is a stranger's", () => {
    const egress = anEgress(recording, { roomName: 'retro', filepath: `tl/${key}`, bucket: at() });
    expect(toBucket.ownerOf(egress).owner).toBe('stranger');
  });

  it.each(['Weekly Standup', 'é'.repeat(128), 'a/b'])('with the encoded key of room %s', (name) => {
    const other = { ...recording, roomId: parseRoomId(name)! };
    const egress = anEgress(other, { roomName: name, filepath: `tl/${mediaKey(other)}`, bucket: at() });
    expect(toBucket.ownerOf(egress).owner).toBe('ours');
  });

  it("under another prefix is a stranger's", () => {
    expect(toBucket.ownerOf(anEgress(recording, { filepath: `other/${key}`, bucket: at() })).owner).toBe(
      'stranger',
    );
  });

  it('is nothing of ours where the key is none of a recording', () => {
    const egress = anEgress(recording, { filepath: 'tl/daily.mp4', bucket: at() });
    expect(toBucket.ownerOf(egress)).toEqual({ owner: 'other-product' });
  });

  it('with a folder is told by its path, and by an upload that is none', () => {
    const filepath = `/rec/${key}`;
    expect(toFolder.ownerOf(anEgress(recording, { filepath, bucket: null })).owner).toBe('ours');
    expect(toFolder.ownerOf(anEgress(recording, { filepath, bucket: at() })).owner).toBe('stranger');
    expect(toFolder.ownerOf(anEgress(recording, { filepath: `/x${filepath}`, bucket: null })).owner).toBe(
      'stranger',
    );
  });

  it.each([
    ['writes no file', { filepath: null }],
    ['has no id', { egressId: '' }],
  ])('is nothing of ours where it %s', (_, fields) => {
    const egress = anEgress(recording, { filepath: `tl/${key}`, bucket: at(), ...fields });
    expect(toBucket.ownerOf(egress)).toEqual({ owner: 'other-product' });
  });

  it("is a stranger's in a room whose name can be none of ours", () => {
    const egress = anEgress(recording, { roomName: '', filepath: `tl/${key}`, bucket: at() });
    expect(toBucket.ownerOf(egress).owner).toBe('stranger');
  });

  it('is found among many by its recording, in the order of the list', () => {
    const other = { ...recording, id: newRecordingId(1_700_000_001_000) };
    const of = (whose: typeof recording, egressId: string, bucket = at()) =>
      anEgress(whose, { egressId, filepath: `tl/${mediaKey(whose)}`, bucket });
    const found = toBucket.byRecording([
      of(recording, 'EG_1'),
      of(other, 'EG_2'),
      of(recording, 'EG_3'),
      of(recording, 'EG_4', at({ deployment: 'staging' })),
    ]);
    const ids = [...found].map(([id, egresses]) => [id, egresses.map(({ egressId }) => egressId)]);
    expect(ids).toEqual([
      [recording.id, ['EG_1', 'EG_3']],
      [other.id, ['EG_2']],
    ]);
  });
});
