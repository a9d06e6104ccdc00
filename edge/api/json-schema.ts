import { z } from 'zod';
import type { JsonObject } from '#protocol';
import { omit } from '../lib/omit.ts';

/** JSON Schema (2020-12). What JSON Schema cannot say, such as a check across members, is left out. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  return omit(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), '$schema') as JsonObject;
}

interface ObjectSchema extends JsonObject {
  properties: JsonObject;
}

/**
 * Arguments of several forms as one object: beside the forms, what is common to them stands at the top, so that readers who know objects
 * alone find every argument, and which of them all forms require.
 */
export function asObject(schema: JsonObject): JsonObject {
  const { oneOf } = schema;
  if (!Array.isArray(oneOf)) return schema;
  const forms = oneOf.filter((form): form is ObjectSchema => typeof form === 'object' && form !== null);
  const names = [...new Set(forms.flatMap(({ properties }) => Object.keys(properties)))];
  const [first, ...others] = forms.map(({ required }) => (Array.isArray(required) ? required : []));
  return {
    type: 'object',
    properties: Object.fromEntries(
      names.map((name) => [name, anyOf(forms.flatMap((form) => form.properties[name] ?? []))]),
    ),
    required: (first ?? []).filter((name) => others.every((required) => required.includes(name))),
    additionalProperties: false,
    ...schema,
  };
}

function anyOf(schemas: readonly JsonObject[string][]): JsonObject[string] {
  const [first = {}, ...others] = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  return others.length === 0 ? first : { anyOf: [first, ...others] };
}
