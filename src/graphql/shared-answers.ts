import {
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLFormattedError,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  defaultFieldResolver,
  execute,
  getOperationAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { GraphqlContext } from './graphql-context.js';
import type { GraphqlErrors } from './graphql-errors.js';

/** Events whose answers are kept, and answers of each: who is further behind is answered on its own. */
const EVENTS_KEPT = 64;
const ANSWERS_KEPT = 64;

/** Set in the extensions of a field whose resolver answers the same for whoever asks. */
export const SAME_FOR_ALL = 'sameForAll';

/** What a subscription asks of each of its events. */
export interface Asked {
  readonly args: ExecutionArgs & { readonly contextValue: GraphqlContext };
  /** Alike of subscriptions that are answered alike. */
  readonly alike: string;
}

/** An event is answered and written as JSON once for all who ask the same of it. */
export class SharedAnswers {
  private readonly byEvent = new Map<object, Map<string, Promise<string>>>();
  private readonly needs = new WeakMap<DocumentNode, Needs>();
  private documents = 0;

  constructor(private readonly errors: GraphqlErrors) {}

  asked(args: Asked['args']): Asked {
    const { document, operationName, variableValues, contextValue } = args;
    let needs = this.needs.get(document);
    if (!needs) {
      needs = needsOf(args, (this.documents += 1));
      this.needs.set(document, needs);
    }
    const values = needs.variables.map((name) => variableValues?.[name] ?? null);
    const actor = needs.actor ? contextValue.actor : null;
    return { args, alike: JSON.stringify([needs.document, operationName ?? null, values, actor]) };
  }

  /** The payload of the message that tells it, as JSON. */
  of(event: unknown, { args, alike }: Asked): Promise<string> {
    if (typeof event !== 'object' || event === null) return this.answer(event, args);
    const answers = this.answersTo(event);
    const known = answers.get(alike);
    if (known) return known;
    const answer = this.answer(event, args);
    if (answers.size < ANSWERS_KEPT) answers.set(alike, answer);
    return answer;
  }

  private answersTo(event: object): Map<string, Promise<string>> {
    let answers = this.byEvent.get(event);
    if (!answers) {
      answers = new Map();
      this.byEvent.set(event, answers);
      if (this.byEvent.size > EVENTS_KEPT) this.byEvent.delete(this.byEvent.keys().next().value!);
    }
    return answers;
  }

  private async answer(event: unknown, args: Asked['args']): Promise<string> {
    const { errors, ...result } = await execute({ ...args, rootValue: event });
    const told: readonly GraphQLFormattedError[] | undefined = errors?.map((error) =>
      this.errors.toClient(error),
    );
    return JSON.stringify(told ? { ...result, errors: told } : result);
  }
}

interface Needs {
  /** A number instead of the document. */
  readonly document: number;
  /** Of the variables those that matter once the subscription has begun. */
  readonly variables: readonly string[];
  /** Whether a field's answer may depend on who asks. */
  readonly actor: boolean;
}

function needsOf({ schema, document, operationName }: ExecutionArgs, number: number): Needs {
  const operation = getOperationAST(document, operationName);
  const variables = new Set<string>();
  const types = new TypeInfo(schema);
  let actor = false;
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Argument: (node, _key, _parent, _path, ancestors) =>
        isOfRoot(operation, ancestors.at(-1)) && node.value.kind === Kind.VARIABLE ? false : undefined,
      Variable: ({ name }) => void variables.add(name.value),
      Field: () => {
        if (types.getParentType() === schema.getSubscriptionType()) return;
        const field = types.getFieldDef();
        const resolve = field?.resolve ?? defaultFieldResolver;
        if (resolve !== defaultFieldResolver && field?.extensions[SAME_FOR_ALL] !== true) actor = true;
      },
    }),
  );
  return { document: number, variables: [...variables].sort(), actor };
}

/** The arguments of the field that is subscribed to have had their say when it began. */
function isOfRoot(operation: OperationDefinitionNode | null | undefined, ancestor: unknown): boolean {
  return operation?.selectionSet.selections.some((selection) => selection === ancestor) ?? false;
}
