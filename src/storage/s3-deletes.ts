import { createHash } from 'node:crypto';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type DeleteObjectsCommandInput,
  type DeleteObjectsCommandOutput,
  HeadBucketCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import type { Clock } from '../kernel/clock.js';
import type { DeleteResult } from './object-storage.port.js';
import { type Patience, within } from './s3-clients.js';
import { type S3Storage, statusOf, describeS3Failure, wasAnswered } from './s3-faults.js';
import { failureName, storageUnavailable } from './storage-errors.js';

/** What DeleteObjects takes in one request. */
const CHUNK = 1000;
const SINGLE_AT_ONCE = 16;
/** A store that was upgraded is asked in the better way again after so long. */
const REMEMBERED_MS = 3_600_000;
/** Of how many keys a deletion ends in the time that somebody waits for it, and how much each more may add. */
const WAITED_FOR = 32;
const MORE_MS = 100;

/** The ways to delete several objects, the cheapest first. Each store understands one of them. */
const FORMS = ['checksum', 'md5', 'single'] as const;
type Form = (typeof FORMS)[number];

/** Refusals that another form of the same request would meet too. */
const NOT_OF_THE_FORM = new Set([
  'NoSuchBucket',
  'InvalidBucketName',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'ExpiredToken',
  'InvalidToken',
  'RequestTimeout',
]);
const FORM_STATUS = new Set([400, 404, 405, 406, 411, 415, 422, 501]);

/** Deletes by whole keys. What a store turned out to understand is remembered for an hour. */
export class S3Deletes {
  private readonly log = new Logger('Storage');
  private form: Form = FORMS[0];
  private settledAt = -Infinity;

  constructor(
    private readonly client: S3Client,
    private readonly at: S3Storage,
    private readonly clock: Clock,
    private readonly patience: Patience,
  ) {}

  /** One result a key. Throws STORAGE_UNAVAILABLE where nothing was answered about any of them. */
  async delete(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    const results = new Map<string, DeleteResult>();
    let answered = keys.length === 0;
    let failure: unknown;
    for (let i = 0; i < keys.length; i += CHUNK) {
      const chunk = keys.slice(i, i + CHUNK);
      try {
        for (const [key, result] of await this.deleteChunk(chunk)) results.set(key, result);
        answered = true;
      } catch (error) {
        failure = error;
        for (const key of chunk) results.set(key, NO_ANSWER);
      }
    }
    // What was answered for some keys is not lost because others could not be asked for.
    if (!answered) {
      throw storageUnavailable(
        { verb: 'deleting', of: keys[0] },
        failure,
        describeS3Failure(failure, this.at),
      );
    }
    if (failure !== undefined) this.tell(failure);
    return results;
  }

  private async deleteChunk(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    const isFresh = this.clock.now() - this.settledAt < REMEMBERED_MS;
    const base = keys.length === 1 ? this.patience.ask : this.patience.deleteMany;
    // Over all forms together: what is tried after a slow refusal has the time that is left.
    const over = AbortSignal.timeout(base + Math.max(0, keys.length - WAITED_FOR) * MORE_MS);
    for (const form of FORMS.slice(isFresh ? FORMS.indexOf(this.form) : 0)) {
      if (form === 'single') return this.deleteEach(keys, over);
      try {
        const results = await this.deleteTogether(keys, form === 'md5', over);
        this.settleOn(form);
        return results;
      } catch (error) {
        if (!isOfTheForm(error)) throw error;
      }
    }
    throw new Error('there is always a last form');
  }

  private async deleteTogether(
    keys: readonly string[],
    withMd5: boolean,
    over: AbortSignal,
  ): Promise<Map<string, DeleteResult>> {
    const command = new DeleteObjectsCommand({
      Bucket: this.at.bucket,
      Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: false },
    });
    if (withMd5) putMd5(command);
    const withinMs = keys.length === 1 ? this.patience.ask : this.patience.deleteMany;
    const answer = await within(withinMs, over, (signal) =>
      this.client.send(command, { abortSignal: signal }),
    );
    return readDeleteAnswer(keys, answer);
  }

  private async deleteEach(keys: readonly string[], over: AbortSignal): Promise<Map<string, DeleteResult>> {
    const results = new Map<string, DeleteResult>();
    const limit = pLimit(SINGLE_AT_ONCE);
    let failure: object | undefined;
    let silent = false;
    const deleteOne = async (key: string): Promise<void> => {
      // Who does not answer one is not asked a thousand times.
      if (silent) return void results.set(key, NO_ANSWER);
      const fault = await this.deleteOne(key, over);
      if (fault === null) return void results.set(key, { deleted: true });
      failure ??= fault;
      silent ||= statusOf(fault) === undefined;
      results.set(key, isOfThisObject(fault) ? refusedWith(failureName(fault)) : NO_ANSWER);
    };
    await Promise.all(keys.map((key) => limit(() => deleteOne(key))));
    if (failure === undefined) this.settleOn('single');
    else if ([...results.values()].every((result) => result === NO_ANSWER)) throw failure;
    else this.tell(failure);
    return results;
  }

  /** What kept it from being deleted; null: it is not there, or no longer. */
  private async deleteOne(key: string, over: AbortSignal): Promise<object | null> {
    const object = { Bucket: this.at.bucket, Key: key };
    try {
      await within(this.patience.ask, over, async (signal) => {
        const options = { abortSignal: signal };
        try {
          await this.client.send(new DeleteObjectCommand(object), options);
        } catch (error) {
          if (failureName(error) === 'NoSuchKey') return;
          if (failureName(error) === 'NoSuchBucket' || statusOf(error) !== 404) throw error;
          await this.client.send(new HeadBucketCommand({ Bucket: this.at.bucket }), options);
        }
      });
      return null;
    } catch (error) {
      return error as object;
    }
  }

  private settleOn(form: Form): void {
    if (form !== this.form || this.clock.now() - this.settledAt >= REMEMBERED_MS)
      this.settledAt = this.clock.now();
    if (form === this.form) return;
    this.form = form;
    this.log.log({
      event: 'storage_deletes_otherwise',
      message: OTHERWISE[form],
    });
  }

  private tell(failure: unknown): void {
    this.log.warn({
      event: 'storage_did_not_delete',
      message: `some objects are not deleted: ${describeS3Failure(failure, this.at).detail}`,
      err: failure,
    });
  }
}

const OTHERWISE: Readonly<Record<Form, string>> = {
  checksum: 'the store takes the checksums of today again: deletions are sent with them',
  md5: 'the store refuses the checksums of today: deletions are sent with Content-MD5',
  single: 'the store does not delete several objects with one request: each is deleted by its own',
};

const NO_ANSWER: DeleteResult = {
  deleted: false,
  code: 'STORAGE_UNAVAILABLE',
  why: 'the storage gave no answer about it',
};

/** A refusal of the way of asking and not of what was asked. */
function isOfTheForm(error: unknown): boolean {
  return FORM_STATUS.has(statusOf(error) ?? 0) && !NOT_OF_THE_FORM.has(failureName(error));
}

/** An answer about one object alone, and not about the bucket or the store. */
function isOfThisObject(error: unknown): boolean {
  return wasAnswered(error) && failureName(error) !== 'NoSuchBucket';
}

type Next = (args: {
  input: DeleteObjectsCommandInput;
  request: unknown;
}) => Promise<{ response: unknown; output: DeleteObjectsCommandOutput }>;

/** As this request was signed before there were other checksums: some stores take nothing else. */
function putMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.addRelativeTo(
    (next: Next) => (args: Parameters<Next>[0]) => {
      const request = args.request as { headers: Record<string, string>; body?: string | Uint8Array };
      for (const name of Object.keys(request.headers)) {
        if (/^x-amz-(sdk-checksum-algorithm|checksum-.*|trailer)$/i.test(name)) delete request.headers[name];
      }
      request.headers['content-md5'] = createHash('md5')
        .update(request.body ?? '')
        .digest('base64');
      return next(args);
    },
    { name: 'contentMd5', relation: 'after', toMiddleware: 'flexibleChecksumsMiddleware', override: true },
  );
}

/** What the server says of each key is believed; of a key that it doesn't mention nothing is known, so it counts as not deleted. */
function readDeleteAnswer(
  keys: readonly string[],
  answer: Pick<DeleteObjectsCommandOutput, 'Deleted' | 'Errors'>,
): Map<string, DeleteResult> {
  const deleted = new Set((answer.Deleted ?? []).map((one) => one.Key));
  const errors = new Map((answer.Errors ?? []).map((one) => [one.Key, codeOf(one.Code)]));
  return new Map(
    keys.map((key): [string, DeleteResult] => {
      const code = errors.get(key);
      if (code === 'NoSuchKey') return [key, { deleted: true }];
      if (code !== undefined) return [key, refusedWith(code)];
      if (deleted.has(key)) return [key, { deleted: true }];
      return [
        key,
        {
          deleted: false,
          code: 'NotConfirmed',
          why: 'the storage has not confirmed that it is deleted',
        },
      ];
    }),
  );
}

function codeOf(text: string | undefined): string {
  return (text ?? '').replace(/[^A-Za-z0-9]/g, '').slice(0, 64) || 'Refused';
}

function refusedWith(code: string): DeleteResult {
  return { deleted: false, code, why: `the storage refused to delete it (${code})` };
}
