import fc from 'fast-check';
import type { z } from 'zod';
import type { Json, JsonObject } from '#protocol';
import { jsonSchemaOf } from '../../../edge/api/json-schema.ts';
import { definedMembers } from '../../../edge/api/route.ts';

/**
 * Values that fit a schema, as far as JSON Schema tells it. Where it says nothing, as of an id, `free` gives them.
 * @param examples by the name of a member: values that fit better than what its schema alone gives.
 */
export function fitting(
  schema: z.ZodType,
  free: fc.Arbitrary<Json>,
  examples: Readonly<Record<string, fc.Arbitrary<Json>>> = {},
): fc.Arbitrary<Json> {
  const whole = jsonSchemaOf(schema, 'input');
  const of = (part: JsonObject): fc.Arbitrary<Json> => arbitraryOf(part, { whole, free, examples, depth: 0 });
  return of(whole);
}

interface Context {
  readonly whole: JsonObject;
  readonly free: fc.Arbitrary<Json>;
  readonly examples: Readonly<Record<string, fc.Arbitrary<Json>>>;
  readonly depth: number;
}

const maxDepth = 8;

function arbitraryOf(schema: JsonObject, context: Context): fc.Arbitrary<Json> {
  if (context.depth > maxDepth) return fc.constant(null);
  const deeper = { ...context, depth: context.depth + 1 };
  const { $ref: reference, const: only, enum: values, examples, type } = schema;
  if (typeof reference === 'string') return arbitraryOf(resolved(reference, context.whole), deeper);
  if ('const' in schema) return fc.constant(only ?? null);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  if (Array.isArray(examples) && examples.length > 0) return fc.constantFrom(...examples);
  const forms = schema.anyOf ?? (schema.properties === undefined ? schema.oneOf : undefined) ?? schema.allOf;
  if (Array.isArray(forms)) return fc.oneof(...forms.map((form) => arbitraryOf(form as JsonObject, deeper)));
  switch (type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return numberOf(schema).map(Math.trunc);
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return listOf(schema, deeper);
    case 'object':
      return objectOf(schema, deeper);
    default:
      return context.free;
  }
}

function resolved(reference: string, whole: JsonObject): JsonObject {
  return reference
    .split('/')
    .slice(1)
    .reduce<Json>((found, key) => (found as JsonObject)[key] ?? {}, whole) as JsonObject;
}

const moments = ['2020-01-01T00:00:00Z', '2031-05-05T05:05:05.5+02:00', '9999-12-31T23:59:59Z'];

function textOf({ format, pattern, minLength, maxLength }: JsonObject): fc.Arbitrary<Json> {
  if (format === 'date-time') return fc.constantFrom(...moments);
  const lengths = { minLength: Number(minLength ?? 0), maxLength: Math.min(Number(maxLength ?? 40), 300) };
  if (typeof pattern === 'string' && !pattern.includes('(?')) {
    return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, Number(maxLength ?? Infinity)));
  }
  return fc.oneof(
    fc.string({ ...lengths, unit: 'grapheme-ascii' }),
    fc.constantFrom(minLength, maxLength).map((length) => 'x'.repeat(Math.min(Number(length ?? 8), 5000))),
  );
}

function numberOf(schema: JsonObject): fc.Arbitrary<number> {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = schema;
  const low = Number(minimum ?? exclusiveMinimum ?? -1e9);
  const high = Number(maximum ?? exclusiveMaximum ?? Math.max(1e9, low));
  return fc.oneof(fc.constantFrom(low, high, Math.min(low + 1, high)), fc.double({ min: low, max: high, noNaN: true }));
}

function listOf({ items, prefixItems, minItems, maxItems }: JsonObject, context: Context): fc.Arbitrary<Json> {
  if (Array.isArray(prefixItems)) {
    return fc.tuple(...prefixItems.map((item) => arbitraryOf(item as JsonObject, context)));
  }
  const minLength = Number(minItems ?? 0);
  const maxLength = Math.max(minLength, Math.min(Number(maxItems ?? 4), 4));
  return fc.array(arbitraryOf((items ?? {}) as JsonObject, context), { minLength, maxLength });
}

function objectOf(schema: JsonObject, context: Context): fc.Arbitrary<Json> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const members = Object.entries(properties as JsonObject).map(
    ([name, member]) => [name, context.examples[name] ?? arbitraryOf(member as JsonObject, context)] as const,
  );
  const isRequired = (name: string): boolean => (required as string[]).includes(name);
  const optional = (member: fc.Arbitrary<Json>) =>
    fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: member });
  const record = fc
    .record(Object.fromEntries(members.map(([name, member]) => [name, isRequired(name) ? member : optional(member)])))
    .map((all): JsonObject => definedMembers(all));
  if (typeof additionalProperties !== 'object') return record;
  const further = arbitraryOf(additionalProperties as JsonObject, context);
  return fc
    .tuple(record, fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), further, { maxKeys: 3 }))
    .map(([known, more]) => ({ ...more, ...known }));
}
