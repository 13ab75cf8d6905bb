import type { Config } from '../config/config.js';
import type { Part } from './embedded-stack.js';

/** What a newcomer needs to know, once everything runs. */
export function greeting(config: Config, parts: readonly Part[]): string {
  const lines = [
    '',
    '  Tallylight is ready.',
    '',
    row('Page', config.publicUrl),
    row('ADMIN key', config.adminKey),
    '',
    ...parts.map(({ name, words }) => row(name, words)),
    ...(parts.length > 0 ? [''] : []),
    '  Open the page, enter the key, and start a recording. Ctrl-C ends everything.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function row(name: string, words: string): string {
  return `    ${name.padEnd(10)} ${words}`;
}
