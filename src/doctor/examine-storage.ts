import { Injectable } from '@nestjs/common';
import { StorageProbe } from '../storage/storage-probe.js';
import { type Finding, Examination, fault, ok, unknown } from './finding.js';

/** The bucket or folder, with one object that is deleted again. */
@Injectable()
export class ExamineStorage extends Examination {
  readonly area = 'storage';

  constructor(private readonly probe: StorageProbe) {
    super();
  }

  async examine(): Promise<Finding[]> {
    const { place, steps, notices } = await this.probe.run();
    return [
      ...steps.map(({ name, state, problem }): Finding => {
        const called = `storage.${name}`;
        if (problem) return fault(called, problem.detail, FIX[name]);
        return state === 'ok' ? ok(called, place) : unknown(called, 'not tried after what failed before it');
      }),
      ...(notices.length === 0
        ? [ok('storage.rules', 'no rule of the bucket archives or expires what is ours')]
        : notices.map((notice) =>
            fault('storage.rules', notice, 'change that rule, or the clock that it names'),
          )),
    ];
  }
}

const FIX = {
  write:
    'check STORAGE_URL and the S3_ variables, and allow the key pair s3:PutObject; a folder has to be writable',
  look: 'allow the key pair s3:GetObject (HeadObject needs it)',
  read: 'allow the key pair s3:GetObject',
  range: 'look at what stands between: a proxy that drops the Range header can not be used',
  list: 'allow the key pair s3:ListBucket',
  delete: 'allow the key pair s3:DeleteObject, and look for a lock or a policy that keeps objects',
} as const;
