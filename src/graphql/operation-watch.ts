import { type ExecutionResult, Kind, type OperationDefinitionNode } from 'graphql';
import { emitTelemetry } from '../kernel/telemetry.js';
import { nameSpan, traced } from '../kernel/tracing.js';
import type { ApolloPlugin } from './http-limits.js';

/** What an operation is called where operations are counted: a word of the schema's, since a client's own names have no end. */
function nameOf({ selectionSet }: OperationDefinitionNode): string {
  const [first, ...more] = selectionSet.selections;
  if (first?.kind !== Kind.FIELD || more.length > 0) return 'several';
  return first.name.value.startsWith('__') ? 'introspection' : first.name.value;
}

function tell(operation: OperationDefinitionNode, isRight: boolean, begun: number): void {
  emitTelemetry('graphql-operation', {
    type: operation.operation,
    field: nameOf(operation),
    outcome: isRight ? 'ok' : 'error',
    seconds: (performance.now() - begun) / 1_000,
  });
}

/** Over HTTP: the request's own span takes the operation's name. */
export const watchOperations: ApolloPlugin = {
  requestDidStart: () => {
    const begun = performance.now();
    return Promise.resolve({
      didResolveOperation: ({ operation }) => {
        if (operation) {
          nameSpan(`graphql ${operation.operation} ${nameOf(operation)}`, {
            'graphql.operation.type': operation.operation,
          });
        }
        return Promise.resolve();
      },
      willSendResponse: ({ operation, errors }) => {
        if (operation) tell(operation, (errors ?? []).length === 0, begun);
        return Promise.resolve();
      },
    });
  },
};

/** Over a WebSocket: each operation but a subscription is a trace of its own. */
export async function watchedOperation(
  operation: OperationDefinitionNode,
  work: () => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  const begun = performance.now();
  const attributes = { 'graphql.operation.type': operation.operation };
  const result = await traced(`graphql ${operation.operation} ${nameOf(operation)}`, attributes, work);
  tell(operation, (result.errors ?? []).length === 0, begun);
  return result;
}
