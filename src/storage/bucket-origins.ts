import type { StorageConfig } from '../config/config.js';

/** Where a browser may be sent that is given an address of the bucket, by the bucket's path or by its name; none for a folder. */
export function bucketOrigins(storage: StorageConfig): string[] {
  if (storage.kind !== 's3') return [];
  const { protocol, host } = new URL(storage.endpoint ?? `https://s3.${storage.region}.amazonaws.com`);
  return [`${protocol}//${host}`, `${protocol}//${storage.bucket}.${host}`];
}
