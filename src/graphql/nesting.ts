import { GraphQLError, Lexer, Source, TokenKind } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { TallyError } from '../kernel/errors.js';

const OPENS = new Set<string>([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSES = new Set<string>([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Before a document is parsed, which goes down as deep as its brackets do, and out of the stack with them.
 * Throws BAD_USER_INPUT.
 */
export function refuseDeepNesting(text: string): void {
  let depth = 0;
  for (const kind of kindsOf(text)) {
    if (OPENS.has(kind)) depth += 1;
    if (CLOSES.has(kind)) depth -= 1;
    if (depth > BOUNDS.nesting) {
      throw new TallyError(
        'BAD_USER_INPUT',
        `this document has more than ${BOUNDS.nesting} brackets in each other; ask for less at once`,
      );
    }
  }
}

function* kindsOf(text: string): Generator<TokenKind, void> {
  const lexer = new Lexer(new Source(text));
  try {
    for (let tokens = 0; tokens <= BOUNDS.tokens && lexer.token.kind !== TokenKind.EOF; tokens += 1) {
      yield lexer.advance().kind;
    }
  } catch (error) {
    // What is no token the parser refuses too, and says where.
    if (!(error instanceof GraphQLError)) throw error;
  }
}
