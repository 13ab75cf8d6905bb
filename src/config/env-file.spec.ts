import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartFault } from '../kernel/start-fault.js';
import { loadEnvFile } from './env-file.js';

describe('a .env file', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tallylight-env-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (text: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
    const path = join(folder, '.env');
    writeFileSync(path, text);
    loadEnvFile(path, env);
    return env;
  };

  it('adds what the environment does not set, where empty is not set', () => {
    expect(load('A=file\nB=file\nC=file\n', { A: 'environment', B: '' })).toEqual({
      A: 'environment',
      B: 'file',
      C: 'file',
    });
  });

  it('may have comments, quotations over several lines, and export', () => {
    expect(load('# a comment\n\nexport A=1 # why\nB="two\nlines"\nC=\'#3\'\n')).toEqual({
      A: '1',
      B: 'two\nlines',
      C: '#3',
    });
  });

  it('need not be there', () => {
    const env = {};
    loadEnvFile(join(folder, 'none'), env);
    expect(env).toEqual({});
  });

  it.each([
    ['A=1\nPORT 4000\n', /line 2/],
    ['A="never closed\nB=2\n', /line 1.*quotation/],
    ['=1\n', /line 1/],
  ])('with a typing error is refused in one sentence that names the line: %j', (text, sentence) => {
    expect(() => load(text)).toThrow(StartFault);
    expect(() => load(text)).toThrow(sentence);
  });

  it('that is a folder is refused in one sentence', () => {
    expect(() => loadEnvFile(folder, {})).toThrow(/can not be read/);
  });
});
