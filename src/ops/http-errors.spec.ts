import { NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { ERROR_TABLE, type ErrorCode, TallyError } from '../kernel/errors.js';
import { toHttpError } from './http-errors.js';

describe('an error outside GraphQL', () => {
  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])(
    '%s has the status of the table and names its subject',
    (code) => {
      expect(
        toHttpError(new TallyError(code, 'what and which', { recordingId: 'rec_1', cause: 'secret' })),
      ).toEqual({
        status: ERROR_TABLE[code].http,
        body: { error: { code, message: 'what and which', recordingId: 'rec_1' } },
      });
    },
  );

  it.each([
    [new NotFoundException('Cannot GET /etc/passwd'), 404, 'NOT_FOUND'],
    [new PayloadTooLargeException(), 413, 'BAD_USER_INPUT'],
    [Object.assign(new Error('Unsupported Media Type: a/b'), { statusCode: 415 }), 415, 'BAD_USER_INPUT'],
    [Object.assign(new Error('slow down'), { statusCode: 429 }), 429, 'RATE_LIMITED'],
  ])('of the web server itself keeps its status and loses its words', (error, status, code) => {
    const answer = toHttpError(error);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(JSON.stringify(answer)).not.toContain(error.message);
  });

  it.each([
    new Error('/srv/app/secret.ts exploded'),
    Object.assign(new Error('/srv/app/secret.ts'), { statusCode: 500 }),
    'a text',
    null,
    Object.assign(new Error('odd'), { statusCode: 200 }),
  ])('that nobody foresaw is INTERNAL and shows nothing', (error) => {
    expect(toHttpError(error)).toEqual({
      status: 500,
      body: { error: { code: 'INTERNAL', message: 'something went wrong here' } },
    });
  });
});
