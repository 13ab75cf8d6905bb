import { S3ServiceException } from '@aws-sdk/client-s3';
import { NoAnswerInTime, type S3Storage, describeS3Failure } from './s3-faults.js';

const at: S3Storage = {
  kind: 's3',
  bucket: 'tally',
  prefix: 'recs',
  endpoint: 'http://s3.example:9000',
  region: 'us-east-1',
  credentials: null,
  forcePathStyle: true,
  egressEndpoint: null,
  deployment: 'test',
};

function answered(httpStatusCode: number, name: string, more: object = {}): S3ServiceException {
  const error = new S3ServiceException({ name, $fault: 'client', $metadata: { httpStatusCode } });
  return Object.assign(error, more);
}

function unanswered(code: string, hostname?: string): Error {
  return Object.assign(new Error('of node'), { code, ...(hostname && { hostname }) });
}

describe('a failed request to a bucket', () => {
  it.each([
    ['nobody listens', unanswered('ECONNREFUSED'), 'can not be reached', 's3.example:9000'],
    ['no such host', unanswered('ENOTFOUND', 's3.example'), 'can not be reached', 's3.example, asked'],
    ['silence', new NoAnswerInTime(5_000), 'does not answer in time', 'NoAnswerInTime'],
    ['another certificate', unanswered('ERR_TLS_CERT_ALTNAME_INVALID'), 'no safe connection', 'certificate'],
    ['no bucket', answered(404, 'NoSuchBucket'), 'does not exist', '404 NoSuchBucket; create the bucket'],
    ['no access', answered(403, 'AccessDenied'), 'refuses access', '403 AccessDenied'],
    ['no access, text without a body', answered(403, 'Unknown'), 'refuses access', '403 without a code'],
    ['a wrong key', answered(403, 'InvalidAccessKeyId'), 'credentials', 'S3_ACCESS_KEY_ID'],
    ['a wrong secret', answered(403, 'SignatureDoesNotMatch'), 'credentials', 'S3_SECRET_ACCESS_KEY'],
    ['a wrong clock', answered(403, 'RequestTimeTooSkewed'), 'clock', 'NTP'],
    [
      'another region',
      answered(301, 'PermanentRedirect', { $response: { headers: { 'x-amz-bucket-region': 'eu-west-3' } } }),
      'another region',
      "the bucket's region is eu-west-3",
    ],
    ['too much', answered(503, 'SlowDown'), 'too much', 'rate'],
    ['a fault', answered(500, 'Whatever'), 'a fault of its own', '500 Whatever'],
  ])('%s: is told plainly to everybody, and to the log with what to do', (_name, error, plain, detail) => {
    const text = describeS3Failure(error, at);
    expect(text.plain).toContain(plain);
    expect(text.detail).toContain(detail);
    expect(text.detail).toContain('the bucket tally');
    expect(text.plain).not.toMatch(/tally|s3\.example|S3_|STORAGE_URL/);
  });

  it('names S3_FORCE_PATH_STYLE where there is no host of the name of bucket and endpoint', () => {
    const { detail } = describeS3Failure(unanswered('ENOTFOUND', 'tally.s3.example'), {
      ...at,
      forcePathStyle: false,
    });
    expect(detail).toMatch(
      /^tally\.s3\.example,.*no such name as tally\.s3\.example.*S3_FORCE_PATH_STYLE=true/,
    );
  });
});
