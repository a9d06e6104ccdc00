import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { noAmbientAtAll, noDetours, noHostNumerics, noReferences } from './eslint.determinism.js';

const injected = 'is injected (see edge/lib/clock.ts), so that logic can be tested without waiting.';

/** Logic gets time and chance from outside. */
const noAmbientTimeOrChance = [
  { object: 'Date', property: 'now', message: `Time ${injected}` },
  { object: 'Math', property: 'random', message: `Randomness ${injected}` },
];
const noAmbientTimers = ['setTimeout', 'setInterval'].map((name) => ({ name, message: `Time ${injected}` }));

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
      'no-restricted-globals': ['error', ...noAmbientTimers],
      'no-restricted-properties': ['error', ...noAmbientTimeOrChance],
    },
  },
  {
    files: ['kernels/**/*.ts', 'test/conformance/cases/**/*.ts'],
    ignores: ['kernels/**/reference*.ts'],
    rules: {
      'no-restricted-syntax': noHostNumerics,
      'no-restricted-globals': ['error', ...noDetours, ...noAmbientAtAll],
      'no-restricted-imports': noReferences,
      '@typescript-eslint/require-array-sort-compare': 'error',
    },
  },
  {
    files: ['client/worker/tasks/**/*.ts', 'edge/campaign/**/*.ts', 'edge/tasks/**/*.ts'],
    rules: {
      'no-restricted-syntax': noHostNumerics,
      'no-restricted-globals': ['error', ...noDetours, ...noAmbientTimers],
      'no-restricted-imports': noReferences,
      '@typescript-eslint/require-array-sort-compare': 'error',
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
