import type { EgressInfo } from '@livekit/protocol';

type Json = ReturnType<EgressInfo['toJson']>;
type Fields = ReturnType<EgressInfo['getType']>['fields'];
type JsonObject = Record<string, Json>;

interface ProtoMessage {
  toJson(options: { emitDefaultValues: boolean; useProtoFieldName: boolean }): Json;
}

/**
 * A message as LiveKit's API writes it: names with underscores, zero values included and, as Go alone does, `null`
 * for a message that is not set.
 */
export function toWireJson(message: ProtoMessage): Json {
  const json = message.toJson({ emitDefaultValues: true, useProtoFieldName: true });
  addNulls(message, json);
  return json;
}

function addNulls(message: unknown, json: Json | undefined): void {
  if (!isMessage(message) || !isObject(json)) return;
  for (const field of message.getType().fields.list()) {
    const { kind, name, localName } = field;
    if (kind === 'map' || kind !== 'message') continue;
    const value = field.oneof ? oneofValue(message, field.oneof.localName, localName) : message[localName];
    if (field.repeated) addNullsToEach(value, json[name]);
    else if (value !== undefined) addNulls(value, json[name]);
    else if (!field.oneof) json[name] ??= null;
  }
}

function addNullsToEach(values: unknown, json: Json | undefined): void {
  if (!Array.isArray(values) || !Array.isArray(json)) return;
  values.forEach((value, index) => addNulls(value, json[index]));
}

function oneofValue(message: Record<string, unknown>, group: string, name: string): unknown {
  const chosen = message[group] as { readonly case?: string; readonly value?: unknown } | undefined;
  return chosen?.case === name ? chosen.value : undefined;
}

function isMessage(value: unknown): value is Record<string, unknown> & { getType(): { fields: Fields } } {
  return typeof value === 'object' && value !== null && 'getType' in value;
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
