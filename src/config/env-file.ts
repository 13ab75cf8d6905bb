import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { isErrno, StartFault } from '../kernel/start-fault.js';

const NAME = /^(?:export\s+)?[A-Za-z_]\w*$/;

/**
 * Adds to `env` what the file says; what is set there already wins, and an empty variable counts as not set. A file that
 * is not there says nothing. Throws StartFault for one that can't be read or has a line that is no assignment.
 */
export function loadEnvFile(path: string, env: NodeJS.ProcessEnv): void {
  const text = read(path);
  if (text === null) return;
  const fault = findFault(text);
  if (fault !== null) throw new StartFault(`${path}, line ${fault.line}: ${fault.problem}.`);
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined && !env[name]) env[name] = value;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw new StartFault(`${path} can not be read: make it a readable file, or remove it.`, { cause: error });
  }
}

/** Node takes what it understands of such a file and passes over the rest in silence; a typing error has to be told. */
function findFault(text: string): { line: number; problem: string } | null {
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const sign = line.indexOf('=');
    const value = NAME.test(line.slice(0, sign).trim()) ? line.slice(sign + 1).trimStart() : undefined;
    if (sign < 0 || value === undefined)
      return { line: at + 1, problem: 'write NAME=value, or # before a comment' };
    const end = endOfQuotation(value, lines, at);
    if (end === null) return { line: at + 1, problem: 'the quotation that begins here never ends' };
    at = end;
  }
  return null;
}

/** The line on which the value ends; null when a quotation is never closed. */
function endOfQuotation(value: string, lines: readonly string[], at: number): number | null {
  const quote = value[0];
  if (quote === undefined || !`"'\``.includes(quote) || value.slice(1).includes(quote)) return at;
  const end = lines.findIndex((line, index) => index > at && line.includes(quote));
  return end === -1 ? null : end;
}
