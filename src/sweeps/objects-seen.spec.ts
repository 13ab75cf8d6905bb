import fc from 'fast-check';
import { ulid } from 'ulid';
import type { RecordingId } from '../kernel/ids.js';
import { ObjectsSeen } from './objects-seen.js';

const anId = (at: number): RecordingId => `rec_${ulid(at)}` as RecordingId;

describe('objects that were seen', () => {
  it('are those that were added, each kind by itself, however many', () => {
    const seen = new ObjectsSeen();
    const ids = Array.from({ length: 20_000 }, (_, i) => anId(1_700_000_000_000 + i));
    ids.forEach((id, i) => {
      if (i % 2 === 0) seen.add(id, 'metadata');
      if (i % 3 === 0) seen.add(id, 'media');
    });
    ids.forEach((id, i) => {
      expect(seen.has(id, 'metadata')).toBe(i % 2 === 0);
      expect(seen.has(id, 'media')).toBe(i % 3 === 0);
    });
  });

  it('are told apart by any letter of the last twelve', () => {
    const alphabet = [...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'];
    const tail = fc
      .array(fc.constantFrom(...alphabet), { minLength: 12, maxLength: 12 })
      .map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.uniqueArray(tail, { minLength: 2, maxLength: 60 }), (tails) => {
        const [absent, ...added] = tails.map((end) => `rec_01JD9XXXXXXXXX${end}` as RecordingId);
        const seen = new ObjectsSeen();
        for (const id of added) seen.add(id, 'media');
        expect(seen.has(absent!, 'media')).toBe(false);
        expect(added.every((id) => seen.has(id, 'media'))).toBe(true);
      }),
    );
  });
});
