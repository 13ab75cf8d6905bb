/** The XML of the S3 protocol, as far as the test server speaks it. */

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: Date;
}

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function refusal(code: string): string {
  return `${HEAD}<Error><Code>${code}</Code><Message>refused by the test</Message></Error>`;
}

export function keysToDelete(body: string): string[] {
  return [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescapeXml(match[1] ?? ''));
}

export function deleteAnswer(
  deleted: readonly string[],
  errors: readonly { readonly key: string; readonly code: string }[],
): string {
  const done = deleted.map((key) => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`);
  const failed = errors.map(
    ({ key, code }) => `<Error><Key>${escapeXml(key)}</Key><Code>${code}</Code><Message>no</Message></Error>`,
  );
  return `${HEAD}<DeleteResult ${SPACE}>${done.join('')}${failed.join('')}</DeleteResult>`;
}

export function listAnswer(
  bucket: string,
  prefix: string,
  contents: readonly ListedObject[],
  next: string | null,
): string {
  const rows = contents.map(
    ({ key, size, etag, lastModified }) =>
      `<Contents><Key>${escapeXml(key)}</Key><LastModified>${lastModified.toISOString()}</LastModified>` +
      `<ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  return (
    `${HEAD}<ListBucketResult ${SPACE}><Name>${bucket}</Name><Prefix>${escapeXml(prefix)}</Prefix>` +
    `<KeyCount>${contents.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>${next !== null}</IsTruncated>` +
    (next === null ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`) +
    `${rows.join('')}</ListBucketResult>`
  );
}

export function createUploadAnswer(bucket: string, key: string, id: string): string {
  return `${HEAD}<InitiateMultipartUploadResult ${SPACE}><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
}

export function completeUploadAnswer(bucket: string, key: string, etag: string): string {
  return `${HEAD}<CompleteMultipartUploadResult ${SPACE}><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`;
}

export function lifecycleAnswer(rules: string): string {
  return `${HEAD}<LifecycleConfiguration ${SPACE}>${rules}</LifecycleConfiguration>`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

function unescapeXml(text: string): string {
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');
}
