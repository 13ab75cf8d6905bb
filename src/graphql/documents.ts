import { type DocumentNode, type GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { refuseDeepNesting } from './nesting.js';

const MOST_KEPT = 256;
/** Of a longer one the next request is hardly the same, and many of them would take much memory. */
const LONGEST_KEPT = 8 * 1024;

export interface ReadDocument {
  readonly document: DocumentNode;
  readonly faults: readonly GraphQLError[];
}

/** Documents as they were parsed and validated, so that what many ask alike is read once: those that were asked for last. */
export class Documents {
  private readonly kept = new Map<string, ReadDocument>();

  constructor(private readonly schema: GraphQLSchema) {}

  /** Throws GraphQLError for a text that is no document, and BAD_USER_INPUT for one with too many brackets. */
  read(text: string): ReadDocument {
    const known = this.kept.get(text);
    const found = known ?? this.validated(text);
    if (text.length > LONGEST_KEPT) return found;
    this.kept.delete(text);
    this.kept.set(text, found);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
    return found;
  }

  private validated(text: string): ReadDocument {
    refuseDeepNesting(text);
    const document = parse(text, { maxTokens: BOUNDS.tokens });
    return { document, faults: validate(this.schema, document).slice(0, BOUNDS.faults) };
  }
}
