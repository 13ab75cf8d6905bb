import type { DeleteObjectsCommandOutput } from '@aws-sdk/client-s3';
import type { DeleteResult } from './object-storage.port.js';

export function chunksOf<T>(all: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let i = 0; i < all.length; i += size) chunks.push(all.slice(i, i + size));
  return chunks;
}

/** What the server says of each key is believed; of a key that it doesn't mention nothing is known, so it counts as not deleted. */
export function readDeleteAnswer(
  keys: readonly string[],
  fullKey: (key: string) => string,
  answer: Pick<DeleteObjectsCommandOutput, 'Deleted' | 'Errors'>,
): Map<string, DeleteResult> {
  const deleted = new Set((answer.Deleted ?? []).map((one) => one.Key));
  const errors = new Map((answer.Errors ?? []).map((one) => [one.Key, codeOf(one.Code)]));
  return new Map(
    keys.map((key): [string, DeleteResult] => {
      const code = errors.get(fullKey(key));
      if (code === 'NoSuchKey') return [key, { deleted: true }];
      if (code !== undefined) return [key, notDeleted(code, `the storage refused to delete it (${code})`)];
      if (deleted.has(fullKey(key))) return [key, { deleted: true }];
      return [key, notDeleted('NotConfirmed', 'the storage has not confirmed that it is deleted')];
    }),
  );
}

function codeOf(text: string | undefined): string {
  return (text ?? '').replace(/[^A-Za-z0-9]/g, '').slice(0, 64) || 'Refused';
}

function notDeleted(code: string, why: string): DeleteResult {
  return { deleted: false, code, why };
}
