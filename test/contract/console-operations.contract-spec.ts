import { GraphQLTypesLoader } from '@nestjs/graphql';
import { buildSchema, parse, validate } from 'graphql';
import * as documents from '../../console/src/api/documents.js';
import * as rooms from '../../console/src/api/room-documents.js';
import * as system from '../../console/src/api/system-documents.js';
import { type Operation, textOf } from '../../console/src/api/typed.js';
import { TYPE_PATHS } from '../../src/graphql/graphql.module.js';

/** What the console asks for only where the server's schema has it. */
const WHERE_SERVED: Readonly<Record<string, { readonly type: string; readonly field: string }>> = {
  RECOVERED: { type: 'Recording', field: 'recovered' },
  CRASH_PROOF: { type: 'RoomRecordingSettings', field: 'crashProof' },
};

test('every operation of the console is valid on the schema that is served', async () => {
  const served = buildSchema(String(await new GraphQLTypesLoader().mergeTypesByPaths([...TYPE_PATHS])));
  const operations = Object.entries({ ...documents, ...rooms, ...system })
    .map(([name, operation]) => [name, textOf(operation as unknown as Operation<unknown, never>)] as const)
    .filter(([, text]) => !text.trimStart().startsWith('fragment'));
  expect(operations.length).toBeGreaterThan(30);
  const faults = operations.flatMap(([name, text]) => {
    const { type = '', field = '' } = WHERE_SERVED[name] ?? {};
    const kind = served.getType(type);
    if (kind && 'getFields' in kind && !(field in kind.getFields())) return [];
    return validate(served, parse(text)).map(({ message }) => `${name}: ${message}`);
  });
  expect(faults).toEqual([]);
});
