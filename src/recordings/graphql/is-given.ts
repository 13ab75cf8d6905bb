import { type GraphQLResolveInfo, Kind } from 'graphql';

/** Whether the caller gave an argument that has a default: a variable that was left out is not given. */
export function isGiven({ fieldNodes, variableValues }: GraphQLResolveInfo, name: string): boolean {
  const value = fieldNodes[0]?.arguments?.find((one) => one.name.value === name)?.value;
  if (value === undefined) return false;
  return value.kind !== Kind.VARIABLE || value.name.value in variableValues;
}
