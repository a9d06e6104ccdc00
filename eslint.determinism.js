/**
 * Rules for code whose numbers must be the same bits on every engine. What ECMAScript leaves to the engine is an error: most
 * functions of `Math`, `**`, and everything that depends on language or place.
 */

/** Those of Math that IEEE 754 or ECMA-262 fix to the last bit. */
const exactMath = [
  ...['abs', 'ceil', 'clz32', 'floor', 'fround', 'imul', 'max', 'min', 'round', 'sign', 'sqrt', 'trunc'],
  ...['E', 'LN10', 'LN2', 'LOG10E', 'LOG2E', 'PI', 'SQRT1_2', 'SQRT2'],
];

const mathMessage = 'Use the kernels’ own mathematics: host results differ between engines.';
const aliasMessage = 'Write Math.name in full, so that it can be seen which functions are used.';
const powerMessage = '** differs between engines: multiply, or use the kernels’ pow.';
const textMethods = [
  ...['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString', 'toLocaleUpperCase', 'toLocaleLowerCase'],
  ...['localeCompare', 'toFixed', 'toPrecision', 'toExponential'],
];

export const noHostNumerics = [
  'error',
  { selector: "BinaryExpression[operator='**']", message: powerMessage },
  { selector: "AssignmentExpression[operator='**=']", message: powerMessage },
  {
    selector: `MemberExpression[object.name='Math'][computed=false]:not([property.name=/^(${exactMath.join('|')})$/])`,
    message: mathMessage,
  },
  { selector: "MemberExpression[object.name='Math'][computed=true]", message: aliasMessage },
  { selector: "Identifier[name='Math']:not(MemberExpression > .object)", message: aliasMessage },
  {
    selector: `MemberExpression[property.name=/^(${textMethods.join('|')})$/]`,
    message:
      'Numbers become text by String(x) or JSON alone; what depends on language or place differs between machines.',
  },
  {
    selector: "CallExpression[callee.property.name='toString'][arguments.length>0]",
    message: 'With a radix the digits of a fraction are left to the engine.',
  },
];

const restricted = (names, message) => names.map((name) => ({ name, message }));

/** Ways around the rules above. */
export const noDetours = restricted(
  ['globalThis', 'self', 'window', 'global', 'Intl', 'eval', 'Atomics', 'SharedArrayBuffer'],
  'Results must depend on nothing but the input.',
);

/** Kernels know neither time nor chance. */
export const noAmbientAtAll = restricted(
  ['Date', 'performance', 'crypto', 'setTimeout', 'setInterval'],
  'Kernels know neither time nor chance.',
);

/** The references use the host's mathematics. */
export const noReferences = [
  'error',
  { patterns: [{ regex: String.raw`/reference[\w-]*\.ts$`, message: 'References are for tests.' }] },
];
