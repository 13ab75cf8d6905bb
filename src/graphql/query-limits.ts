import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { TallyError } from '../kernel/errors.js';
import { type Variables, refuseBadLiterals, refuseBadVariables } from './input-values.js';

/** A list is a read of its own. */
const LIST_COST = 5;
/** A field without fields of its own, and one that may have as much in it as a whole page. */
const LEAF_COST = 0.1;
const JSON_COST = 10;
/** Of a list whose length the client doesn't say. */
const UNSIZED_LIST = 5;
const INTROSPECTION_LIST = 10;
/** Resolvers refuse a longer page, with better words than these limits have. */
const MAX_PAGE = 1_000;
/** Spreads of fragments in fragments double with every step; counted as they are walked. */
const MAX_STEPS = 20_000;

/** Throws BAD_USER_INPUT for an operation that asks for too much. The document has been validated: its fragments end. */
export function refuseTooMuch(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): void {
  if (!allowed.has(document)) {
    refuseLongNames(document);
    refuseBadLiterals(document);
    if (countAliases(document) > BOUNDS.aliases) {
      throw tooMuch(`has more than ${BOUNDS.aliases} aliases; send several requests instead`);
    }
    allowed.add(document);
  }
  refuseBadVariables(operation, variables);
  if (affordable.has(operation)) return;
  const count = new Count(schema, document, operation, variables);
  count.run();
  if (!count.dependsOnVariables) affordable.add(operation);
}

/** Documents are kept between requests: what none of a request's variables changes is looked at once. */
const allowed = new WeakSet<DocumentNode>();
const affordable = new WeakSet<OperationDefinitionNode>();

function tooMuch(what: string): TallyError {
  return new TallyError('BAD_USER_INPUT', `this operation ${what}`);
}

/** Every name of the schema is short, so that a longer one is the client's own. */
function refuseLongNames(document: DocumentNode): void {
  visit(document, {
    Name({ value }) {
      if (value.length > BOUNDS.name) throw tooMuch(`has a name of more than ${BOUNDS.name} characters`);
    },
  });
}

function countAliases(document: DocumentNode): number {
  let aliases = 0;
  visit(document, {
    Field(node) {
      if (node.alias) aliases += 1;
    },
  });
  return aliases;
}

/** Where the walk is: how often this selection is answered, how long its connection's page is, how deep it lies. */
interface Place {
  readonly times: number;
  readonly page: number | null;
  readonly depth: number;
}

class Count {
  /** Whether another request with this operation may cost something else. */
  dependsOnVariables = false;
  private cost = 0;
  private steps = 0;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly defaults = new Map<string, unknown>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
    private readonly variables: Variables,
  ) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
    for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
      if (defaultValue) this.defaults.set(variable.name.value, valueFromASTUntyped(defaultValue));
    }
  }

  run(): void {
    const root = this.schema.getRootType(this.operation.operation);
    if (root) this.walk(this.operation.selectionSet, root, { times: 1, page: null, depth: 1 });
  }

  private walk(set: SelectionSetNode, parent: GraphQLCompositeType, place: Place): void {
    for (const selection of set.selections) {
      if (++this.steps > MAX_STEPS) throw tooMuch('spreads its fragments too often; write it plainer');
      if (selection.kind === Kind.FIELD) {
        this.field(selection, parent, place);
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragments.get(selection.name.value);
      if (!fragment) continue;
      const on = fragment.typeCondition && this.schema.getType(fragment.typeCondition.name.value);
      this.walk(fragment.selectionSet, isCompositeType(on) ? on : parent, place);
    }
  }

  private field(node: FieldNode, parent: GraphQLCompositeType, place: Place): void {
    const field = fieldOf(parent, node.name.value);
    const type = field && getNamedType(field.type);
    if (!field) return;
    if (!node.selectionSet || !isCompositeType(type)) {
      return this.spend(place.times * (type?.name === 'JSONObject' ? JSON_COST : LEAF_COST));
    }
    // How deep introspection goes is limited by a validation rule of its own.
    if (place.depth > BOUNDS.depth && !type.name.startsWith('__')) {
      throw tooMuch(`is nested deeper than ${BOUNDS.depth} levels; ask for less at once`);
    }
    const page = this.pageOf(node, field);
    const isList = isListType(getNullableType(field.type));
    const unsized = type.name.startsWith('__') ? INTROSPECTION_LIST : UNSIZED_LIST;
    const times = place.times * (isList ? (page ?? place.page ?? unsized) : 1);
    this.spend(times + (page === null ? 0 : place.times * LIST_COST));
    this.walk(node.selectionSet, type, { times, page: isList ? null : page, depth: place.depth + 1 });
  }

  private spend(cost: number): void {
    this.cost += cost;
    if (this.cost > BOUNDS.cost) {
      throw tooMuch(
        'asks for too many objects at once; ask for smaller pages (first) or fewer lists in lists',
      );
    }
  }

  /** The length of the page that a field with `first` was asked for; null for a field without. */
  private pageOf(node: FieldNode, field: GraphQLField<unknown, unknown>): number | null {
    const definition = field.args.find((argument) => argument.name === 'first');
    if (!definition) return null;
    const given = node.arguments?.find((argument) => argument.name.value === 'first')?.value;
    if (given?.kind === Kind.VARIABLE) this.dependsOnVariables = true;
    const asked =
      given?.kind === Kind.VARIABLE
        ? (this.variables?.[given.name.value] ?? this.defaults.get(given.name.value))
        : given && valueFromASTUntyped(given);
    const first = Number(asked ?? definition.defaultValue);
    return Number.isFinite(first) ? Math.min(Math.max(first, 1), MAX_PAGE) : MAX_PAGE;
  }
}

function fieldOf(parent: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}
