import { NestFactory } from '@nestjs/core';
import { readConfig } from '../config/config.schema.js';
import type { Config } from '../config/config.js';
import { loadEnvFile } from '../config/env-file.js';
import { Instance } from '../config/instance.js';
import { isTallyError } from '../kernel/errors.js';
import { StartFault } from '../kernel/start-fault.js';
import { parseUrl, withoutSlashes } from '../kernel/url.js';
import { createLogger } from '../ops/logger.js';
import { tellFault } from '../serve.js';
import { placeOf, type S3Storage } from '../storage/s3-faults.js';
import { ImportCommandModule } from './import-command.module.js';
import { ImportOpenViduMeet, type ImportReport } from './import-openvidu-meet.js';

const USAGE = `npm run import:openvidu-meet -- <bucket> [--apply] [--json]
  Makes the recordings in a bucket of OpenVidu Meet 3.4 recordings of the deployment that the environment names.
  <bucket>  its name, or s3://<bucket>/<prefix> where the prefix is another than openvidu-meet
  --apply   does it; without, it is only told what would be done
  --json    the report for a machine
  The bucket is only read. Its server and key pair: IMPORT_S3_ENDPOINT, IMPORT_S3_REGION, IMPORT_S3_ACCESS_KEY_ID,
  IMPORT_S3_SECRET_ACCESS_KEY, IMPORT_S3_FORCE_PATH_STYLE; what is not set is taken from S3_… of the deployment.
  It may be stopped at any time and run again; what is there already is left as it is.
  Ends with 0 where everything is imported, 1 where something was not, 2 where it could not be run.
`;
const DEFAULT_PREFIX = 'openvidu-meet';

async function main(args: readonly string[]): Promise<void> {
  const [bucket, ...more] = args.filter((arg) => !['--apply', '--json'].includes(arg));
  if (bucket === undefined || bucket.startsWith('-') || more.length > 0) {
    process.stderr.write(USAGE);
    process.exitCode = bucket === '--help' ? 0 : 2;
    return;
  }
  loadEnvFile('.env', process.env);
  const config = readConfig(process.env, { development: false, onTerminal: process.stdout.isTTY });
  const report = await importFrom(sourceOf(bucket, process.env), config, args.includes('--apply'));
  process.stdout.write(args.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : inWords(report));
  const { failed, unreadable } = report.counts;
  process.exit(failed + unreadable > 0 ? 1 : 0);
}

async function importFrom(source: S3Storage, config: Config, apply: boolean): Promise<ImportReport> {
  const app = await NestFactory.createApplicationContext(ImportCommandModule.with(config, source), {
    // Warnings go to standard error, so that what is told can be read by a program.
    logger: createLogger(config, Instance.ofThisProcess(), process.stderr),
    abortOnError: false,
  });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    return await app.get(ImportOpenViduMeet).execute(!apply, stop.signal);
  } catch (error) {
    // Whoever runs it is an operator: host, bucket and answer are what they need.
    if (isTallyError(error)) throw new StartFault(`${error.message} (${placeOf(source)})`, { cause: error });
    throw error;
  } finally {
    await app.close();
  }
}

/** Throws StartFault. */
export function sourceOf(bucket: string, env: Readonly<Record<string, string | undefined>>): S3Storage {
  const of = (name: string): string | undefined => env[`IMPORT_S3_${name}`] || env[`S3_${name}`] || undefined;
  const url = parseUrl(bucket.startsWith('s3://') ? bucket : `s3://${bucket}/${DEFAULT_PREFIX}`);
  if (url === null || url.hostname === '') {
    throw new StartFault(`${bucket} names no bucket: write its name, or s3://<bucket>/<prefix>`);
  }
  const [accessKeyId, secretAccessKey] = [of('ACCESS_KEY_ID'), of('SECRET_ACCESS_KEY')];
  const endpoint = of('ENDPOINT') ?? null;
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: withoutSlashes(url.pathname),
    endpoint,
    region: of('REGION') ?? env.AWS_REGION ?? 'us-east-1',
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : null,
    forcePathStyle: ['true', '1'].includes(of('FORCE_PATH_STYLE') ?? ''),
    egressEndpoint: endpoint,
    deployment: 'openvidu-meet',
  };
}

function inWords({ dryRun, counts, rooms, bytes, told }: ImportReport): string {
  const size = `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  const lines = [
    dryRun ? 'Nothing was changed; --apply would do it:' : 'Done:',
    `  ${counts.imported} recordings in ${rooms} rooms ${dryRun ? 'to import' : 'imported'}, ${size} of media`,
    `  ${counts.already} are here already`,
    `  ${counts['without-media']} without a file`,
    `  ${counts['in-progress']} still in progress there: run it again when they have ended`,
    `  ${counts.unreadable} could not be understood`,
    `  ${counts.failed} failed: run it again`,
    ...told.map(({ key, outcome, why }) => `  ${outcome}: ${key}: ${why}`),
  ];
  return `${lines.join('\n')}\n`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  tellFault(error);
  process.exit(2);
});
