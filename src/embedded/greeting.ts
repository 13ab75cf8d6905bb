import type { Config } from '../config/config.js';
import type { Part } from './embedded-stack.js';

/** What a newcomer needs to know, once everything runs. */
export function greeting(config: Config, parts: readonly Part[]): string {
  const lines = [
    '',
    '  Tallylight is ready.',
    '',
    row('Console', `${config.publicUrl}/#key=${config.adminKey}`),
    row('GraphQL', `${config.publicUrl}/graphql`),
    row('ADMIN key', config.adminKey),
    '',
    ...parts.map(({ name, words }) => row(name, words)),
    ...(parts.length > 0 ? [''] : []),
    '  Open the console by its link: it signs you in. Under Rooms, press Record. Ctrl-C ends everything.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function row(name: string, words: string): string {
  return `    ${name.padEnd(10)} ${words}`;
}
