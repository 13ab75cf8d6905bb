import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from '../../src/embedded/free-port.js';
import type { S3Storage } from '../../src/storage/s3-faults.js';
import { eventually } from './eventually.js';

/** Said where it is skipped. */
export const WITHOUT_VERSITYGW =
  'skipped because there is no versitygw; go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 brings it';

/** The program of a real S3 server: what VERSITYGW names, or on the PATH, or where Go installs; null where there is none. */
export function findVersitygw(): string | null {
  const { VERSITYGW, PATH = '', GOBIN = '', GOPATH = join(homedir(), 'go') } = process.env;
  const folders = [...PATH.split(delimiter), GOBIN, join(GOPATH, 'bin')].filter((folder) => folder !== '');
  const candidates = VERSITYGW ? [VERSITYGW] : folders.map((folder) => join(folder, 'versitygw'));
  return candidates.find((path) => existsSync(path)) ?? null;
}

export interface Versitygw {
  /** The configuration that leads to its bucket as whoever may do everything. */
  readonly at: S3Storage;
  /** As a user of its own that may do these actions (`s3:GetObject`) and no others. */
  asUserWith(actions: readonly string[]): Promise<S3Storage>;
  stop(): Promise<void>;
}

const ROOT = { accessKeyId: 'root-key', secretAccessKey: 'root-secret' };
const BUCKET = 'meetings';

/** A real S3 server with one bucket, its objects in a folder for the time of a test. */
export async function startVersitygw(program: string): Promise<Versitygw> {
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-versitygw-'));
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  for (const name of ['objects', 'metadata', 'users']) await mkdir(join(folder, name));
  const credentials = ['--access', ROOT.accessKeyId, '--secret', ROOT.secretAccessKey];
  const server = spawn(
    program,
    [
      ...['--port', new URL(endpoint).host, ...credentials, '--quiet', '--iam-dir', join(folder, 'users')],
      ...['posix', '--sidecar', join(folder, 'metadata'), join(folder, 'objects')],
    ],
    { stdio: 'ignore' },
  );
  const root = new S3Client({ endpoint, region: 'us-east-1', credentials: ROOT, forcePathStyle: true });
  await answers(root, server);
  const at: S3Storage = {
    ...{ kind: 's3', bucket: BUCKET, prefix: 'recs', endpoint, egressEndpoint: endpoint },
    ...{ region: 'us-east-1', credentials: ROOT, forcePathStyle: true, deployment: 'test' },
  };
  let users = 0;
  return {
    at,
    asUserWith: async (actions) => {
      const user = { accessKeyId: `user-${++users}`, secretAccessKey: 'user-secret' };
      const create = ['create-user', '--access', user.accessKeyId, '--secret', user.secretAccessKey];
      await promisify(execFile)(program, [
        ...['admin', '--endpoint-url', endpoint, ...credentials, ...create, '--role', 'user'],
      ]);
      const resources = [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`];
      const Statement = actions.map((action) => ({
        Effect: 'Allow',
        Principal: { AWS: [user.accessKeyId] },
        Action: action,
        Resource: resources[action === 's3:ListBucket' ? 0 : 1],
      }));
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      await root.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      return { ...at, credentials: user };
    },
    stop: async () => {
      root.destroy();
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function answers(root: S3Client, server: ChildProcess): Promise<void> {
  const made = async (): Promise<true | string> => {
    if (server.exitCode !== null) throw new Error(`versitygw ended with ${server.exitCode}`);
    await root.send(new CreateBucketCommand({ Bucket: BUCKET }));
    return true;
  };
  await eventually(made, { withinMs: 10_000 });
}
