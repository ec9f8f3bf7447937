import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/{unit,style,support,theory}/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['scripts/built-for-tests.mjs'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Real servers and loads on two cores: one file at a time.
          fileParallelism: false,
        },
      },
    ],
  },
});
