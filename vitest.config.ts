import { defineConfig } from 'vitest/config';

/**
 * Waiting for a state ends when it is there; these limits are only for what never comes, so they
 * are far beyond what a busy machine needs. (vitest polls for 1 s by default.)
 */
const patience = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 20_000 } },
};

export default defineConfig({
  test: {
    // Most tests wait more than they work; vitest itself would leave a core of two alone.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...patience,
          name: 'unit',
          include: ['{src,web}/**/*.test.ts', 'test/{unit,style,support,theory}/**/*.test.ts'],
        },
      },
      {
        test: {
          ...patience,
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        test: {
          ...patience,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['scripts/built-for-tests.mjs'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
