import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

/** As `scripts/simulate.mjs` asks for; without it what the suite runs. */
function simulationFrom(asked: string | undefined) {
  const suite = { seed: 1, schedules: 1000, trace: false };
  return asked === undefined ? suite : { ...suite, ...(JSON.parse(asked) as Partial<typeof suite>) };
}

/** Hostile requests and frames: the same ones each time, or, as `TABGRID_FUZZ` asks for, more or others. */
function fuzzFrom(asked: string | undefined) {
  const suite = { seed: 1, runs: 800 };
  return asked === undefined ? suite : { ...suite, ...(JSON.parse(asked) as Partial<typeof suite>) };
}

/** One project per place in which code runs. `npm run build` comes first: node and browser tests drive the built product. */
export default defineConfig({
  test: {
    reporters: ['default'],
    // All cores: the default leaves one out, which on a small machine is half of them.
    maxWorkers: '100%',
    projects: [
      { test: { name: 'pure', include: ['test/pure/**/*.test.ts'], environment: 'node', testTimeout: 120_000 } },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          environment: 'node',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { TABGRID_SECRET: 'test-secret-test-secret-test-secret-0' } },
          }),
        ],
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts'],
          testTimeout: 60_000,
          provide: {
            simulation: simulationFrom(process.env.TABGRID_SIMULATION),
            fuzz: fuzzFrom(process.env.TABGRID_FUZZ),
          },
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          environment: 'node',
          testTimeout: 300_000,
          hookTimeout: 120_000,
          // They kill processes and wait for what comes after: beside others they would wait long.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          environment: 'node',
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
