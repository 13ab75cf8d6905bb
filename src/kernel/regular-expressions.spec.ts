import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from 'scslre';
import { ScriptTarget, SyntaxKind, createSourceFile, forEachChild, type Node } from 'typescript';

const SOURCES = join(__dirname, '..');

/** Patterns that take more than a linear time on a text that is known to be short; each says by what. */
const ON_SHORT_TEXTS: Readonly<Record<string, string>> = {
  'livekit/egress-errors.ts': 'a reason is cut to 4,000 characters before it is read',
  'livekit/twirp.ts': "works on the operator's LIVEKIT_URL alone",
  'media/media-filename.ts': "a room's name has a bound of its own",
};

interface Pattern {
  readonly file: string;
  readonly text: string;
}

function patternsIn(file: string): Pattern[] {
  const found: Pattern[] = [];
  const visit = (node: Node): void => {
    if (node.kind === SyntaxKind.RegularExpressionLiteral) found.push({ file, text: node.getText() });
    forEachChild(node, visit);
  };
  visit(createSourceFile(file, readFileSync(join(SOURCES, file), 'utf8'), ScriptTarget.Latest, true));
  return found;
}

function isSuperLinear(text: string): boolean {
  const end = text.lastIndexOf('/');
  const literal = { source: text.slice(1, end), flags: text.slice(end + 1) };
  return analyse(literal, { reportTypes: { Move: true, Self: true, Trade: true } }).reports.length > 0;
}

describe('regular expressions', () => {
  const files = readdirSync(SOURCES, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  const slow = files.flatMap(patternsIn).filter(({ text }) => isSuperLinear(text));

  it('take a time that grows with the text and no faster, but for those on texts that are short', () => {
    expect(slow.filter(({ file }) => !(file in ON_SHORT_TEXTS))).toEqual([]);
  });

  it('are excused only where one still is slow', () => {
    expect([...new Set(slow.map(({ file }) => file))].toSorted()).toEqual(Object.keys(ON_SHORT_TEXTS));
  });
});
