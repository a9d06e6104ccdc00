import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const hostMath = [
  'acos',
  'acosh',
  'asin',
  'asinh',
  'atan',
  'atan2',
  'atanh',
  'cbrt',
  'cos',
  'cosh',
  'exp',
  'expm1',
  'hypot',
  'log',
  'log10',
  'log1p',
  'log2',
  'pow',
  'sin',
  'sinh',
  'tan',
  'tanh',
];

const injected = 'is injected (see edge/lib/clock.ts), so that logic can be tested without waiting.';

/** Host transcendental functions differ between engines and processors, so numeric results must not depend on them. */
const noHostMath = hostMath.map((property) => ({
  object: 'Math',
  property,
  message: 'Use the kernels’ own mathematics: host results differ between engines.',
}));
const noHostPower = [
  'error',
  { selector: "BinaryExpression[operator='**']", message: '** differs between engines.' },
  { selector: "AssignmentExpression[operator='**=']", message: '**= differs between engines.' },
];

/** Logic gets time and chance from outside. */
const noAmbientTimeOrChance = [
  { object: 'Date', property: 'now', message: `Time ${injected}` },
  { object: 'Math', property: 'random', message: `Randomness ${injected}` },
];
const noAmbientTimers = [
  'error',
  ...['setTimeout', 'setInterval'].map((name) => ({ name, message: `Time ${injected}` })),
];

export default tseslint.config(
  { ignores: ['dist/', '.tsbuild/', '.wrangler/', '.tabgrid/', 'kernels/build/', '**/*.as.ts', '**/vite.config.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    ignores: ['*.config.ts', 'test/*.config.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },
  {
    files: ['edge/**/*.ts', 'client/worker/**/*.ts', 'client/sdk/**/*.ts'],
    ignores: ['edge/lib/clock.ts', 'client/worker/lib/clock.ts', 'client/sdk/lib/clock.ts'],
    rules: {
      'no-restricted-globals': noAmbientTimers,
      'no-restricted-properties': ['error', ...noAmbientTimeOrChance],
    },
  },
  {
    files: ['kernels/**/*.ts', 'test/conformance/cases/**/*.ts'],
    ignores: ['kernels/**/reference{,-*}.ts'],
    rules: { 'no-restricted-properties': ['error', ...noHostMath], 'no-restricted-syntax': noHostPower },
  },
  {
    files: ['client/worker/tasks/**/*.ts', 'edge/campaign/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...noHostMath, ...noAmbientTimeOrChance],
      'no-restricted-syntax': noHostPower,
    },
  },
  { files: ['edge/index.ts'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['client/cli/**/*.ts', 'bench/**/*.ts', 'test/conformance/main.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 600 }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        TextDecoder: 'readonly',
        setTimeout: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        WebAssembly: 'readonly',
      },
    },
  },
);
