import { existsSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { ConfigError, readConfig } from '../config/config.schema.js';
import type { Config } from '../config/config.js';
import { Doctor } from './doctor.js';
import { DoctorModule } from './doctor.module.js';
import { fault, type Finding, type Verdict } from './finding.js';

const USAGE = `npm run doctor [-- --json]   or   node dist/main.js doctor [--json]
  Examines the deployment that the environment names, and says of each fault what to do. Changes nothing: one object is
  written into the storage and deleted again.
  Ends with 0 where nothing is wrong, 1 where something is, 2 where it could not look at everything.
`;
const SIGNS: Readonly<Record<Verdict, string>> = {
  ok: '  ok   ',
  note: '  note ',
  unknown: '  ?    ',
  fault: 'FAULT  ',
};

/** Prints what is found and sets the exit code. */
export async function examineAndTell(args: readonly string[]): Promise<void> {
  const unknownArgs = args.filter((arg) => arg !== '--json');
  if (unknownArgs.length > 0) {
    process.stderr.write(USAGE);
    process.exitCode = unknownArgs.includes('--help') ? 0 : 2;
    return;
  }
  const findings = await examined();
  process.stdout.write(
    args.includes('--json')
      ? `${JSON.stringify({ findings }, null, 2)}\n`
      : `${findings.map(shown).join('')}${summary(findings)}\n`,
  );
  // Connections that never came about would hold the process.
  process.exit(exitCodeOf(findings));
}

export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ verdict }) => verdict === 'fault')) return 1;
  return findings.some(({ verdict }) => verdict === 'unknown') ? 2 : 0;
}

async function examined(): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(process.env, { development: false, onTerminal: process.stdout.isTTY });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map((one) =>
      fault('settings.variables', one, 'correct it; contract/configuration.md names every variable'),
    );
  }
  return examine(config);
}

export async function examine(config: Config): Promise<Finding[]> {
  const { storage } = config;
  // Whoever uses it would make it, and a volume that is not mounted would come back empty.
  if (storage.kind === 'file' && !existsSync(storage.folder)) {
    const detail = `the folder ${storage.folder} of STORAGE_URL is not there; nothing else was looked at`;
    return [
      fault(
        'storage.folder',
        detail,
        'mount its volume or correct STORAGE_URL; the first start of an instance makes a new one',
      ),
    ];
  }
  const app = await NestFactory.createApplicationContext(DoctorModule.with(config), {
    logger: false,
    abortOnError: false,
  });
  try {
    return await app.get(Doctor).examine();
  } finally {
    await app.close();
  }
}

function shown({ name, verdict, detail, fix }: Finding): string {
  const toDo = fix === undefined ? '' : `         -> ${fix}\n`;
  return `${SIGNS[verdict]}${name}: ${detail}\n${toDo}`;
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  const faults = count('fault');
  const unseen = count('unknown');
  return `\n${faults === 0 ? 'Nothing is wrong' : faults === 1 ? 'One fault' : `${faults} faults`}${unseen > 0 ? `; ${unseen} could not be looked at` : ''}.`;
}
