import fc from 'fast-check';
import type { Json, JsonObject } from '#protocol';

/** What stands in a value for JSON that cannot be written from one: a number that becomes Infinity, and nesting that no recursion survives. */
const rawJson: Readonly<Record<string, string>> = {
  '@overflow@': '1e999',
  '@deep@': '['.repeat(20_000) + ']'.repeat(20_000),
};

const numbers = [-1, -0, 0.5, 5e-324, 1e15, 1e16, 2 ** 31, 2 ** 53, 1e20, 1e300, Number.MAX_VALUE, -Number.MAX_VALUE];

const texts = [
  '',
  ' ',
  'NaN',
  '-Infinity',
  '1e999',
  '0x10',
  'null',
  'true',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '../../secret',
  '%2e%2e',
  "x' OR 1=1 --",
  '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b',
  '(a+)+$',
  '\u0000',
  '\ud800',
  '\udfff\ud800',
  '\u202e🦊é',
  '9999-12-31T23:59:59Z',
  '0000-01-01T00:00:00+23:59',
  ...Object.keys(rawJson),
  'a'.repeat(129),
  'é'.repeat(600),
  '🦊'.repeat(12_000),
];

/** Arrays and objects in turn, so deep within one another. */
export function nested(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** As `JSON.parse` makes it: a member of its own. */
const prototypeMember = JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as Json;

/** Values that no field expects, or that lie at the end of what it takes. */
export const hostileValue: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Json>(...texts) },
  { weight: 4, arbitrary: fc.constantFrom<Json>(...numbers) },
  fc.constantFrom<Json>(null, true, false, [], {}, [[]], [null], prototypeMember),
  fc.constantFrom(63, 64, 70, 1000).map(nested),
  fc.constantFrom(51, 201, 1001).map((length) => Array<Json>(length).fill(0)),
  fc.jsonValue({ maxDepth: 3 }).map((value) => value as Json),
);

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...texts),
  fc.constantFrom(...numbers).map(String),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

interface Edit {
  readonly how: 'replace' | 'grow' | 'delete' | 'add' | 'repeat' | 'wrap';
  /** Which place: the nth, counted around. */
  readonly place: number;
  readonly value: Json;
  readonly key: string;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  how: fc.constantFrom('replace', 'grow', 'grow', 'delete', 'add', 'repeat', 'wrap'),
  place: fc.nat(1000),
  value: hostileValue,
  key: fc.constantFrom('extra', '__proto__', 'owner', 'sub', 'scope', 'state', 'task_id', ''),
});

const growth: fc.Arbitrary<Edit> = edit.map((change) => ({ ...change, how: 'grow' }));

/** A value that fits with none to three faults in it. */
export function damaged(sound: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc
    .tuple(
      sound,
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 3, arbitrary: fc.tuple(growth) },
        { weight: 2, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
      ),
    )
    .map(([value, edits]) => edits.reduce(applied, value));
}

/** Every place within a value, the value itself first. */
function placesIn(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null || path.length > 12) return [path];
  const members: [string | number, Json][] = Array.isArray(value)
    ? [...value.slice(0, 20).entries()]
    : Object.entries(value);
  return [path, ...members.flatMap(([key, member]) => placesIn(member, [...path, key]))];
}

function applied(value: Json, { how, place, value: other, key }: Edit): Json {
  const all = placesIn(value);
  // What grows is a leaf.
  const leaves = how === 'grow' ? all.filter((path) => typeof valueAt(value, path) !== 'object') : all;
  const places = leaves.length === 0 ? all : leaves;
  return at(value, places[place % places.length] ?? [], (found) => {
    switch (how) {
      case 'replace':
        return other;
      case 'grow':
        return grown(found, place, other);
      case 'delete':
        return undefined;
      case 'add':
        if (Array.isArray(found)) return [...found, other];
        return typeof found === 'object' && found !== null ? withMember(found, key, other) : other;
      case 'repeat':
        return Array.isArray(found) ? [...found, ...found] : [found, found];
      case 'wrap':
        return { a: found };
    }
  });
}

/** Of the same type, and more than anybody expects. */
function grown(value: Json, nth: number, other: Json): Json {
  if (typeof value === 'number') return numbers[nth % numbers.length] ?? other;
  if (typeof value === 'string') return texts[nth % texts.length] ?? other;
  return other;
}

/** Also a member named `__proto__`, which an assignment would not make. */
function withMember(object: JsonObject, key: string, value: Json): JsonObject {
  return Object.fromEntries([...Object.entries(object), [key, value]]);
}

function valueAt(value: Json, path: readonly (string | number)[]): Json {
  return path.reduce<Json>((found, key) => (found as JsonObject)[key] ?? null, value);
}

function at(value: Json, path: readonly (string | number)[], change: (found: Json) => Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== 'object' || value === null) return change(value) ?? null;
  if (rest.length > 0) {
    const inner = at((value as JsonObject)[key] ?? null, rest, change);
    return Array.isArray(value) ? value.with(Number(key), inner) : withMember(value, String(key), inner);
  }
  const changed = change((value as JsonObject)[key] ?? null);
  if (Array.isArray(value)) return value.flatMap((each, index) => (index !== key ? [each] : (changed ?? [])));
  const others = Object.entries(value).filter(([name]) => name !== key);
  return Object.fromEntries(changed === undefined ? others : [...others, [key, changed]]);
}

/** Neither an address nor a message holds halves of characters; JSON may, escaped. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** The value as text, sometimes cut off, with rubbish around it, or of another nesting than any parser likes. */
export function damagedText(value: fc.Arbitrary<Json>): fc.Arbitrary<string> {
  return fc.tuple(value, fc.oneof({ weight: 16, arbitrary: fc.constant(null) }, textEdit)).map(([sound, change]) => {
    const text = JSON.stringify(sound).replace(/"(@\w+@)"/g, (quoted, name: string) => rawJson[name] ?? quoted);
    return wellFormed(change === null ? text : change(text));
  });
}

const textEdit: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.nat(1000).map((place) => (text: string) => text.slice(0, place % (text.length + 1))),
  fc.string({ unit: 'binary', maxLength: 5 }).map((rubbish) => (text: string) => text + rubbish),
  fc.constantFrom(
    (text: string) => `\ufeff${text}`,
    (text: string) => text + text,
    (text: string) => `[${text}`,
    () => '['.repeat(100_000),
    (text: string) => text.replace(/:/, ':NaN,"x":'),
    (text: string) => text.replace('{', '{"type":"hello",'),
  ),
);
