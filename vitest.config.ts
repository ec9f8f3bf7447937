import { configDefaults, defineConfig } from 'vitest/config';
import { inOnePiece } from './test/support/in-one-piece.ts';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * Waiting for a state ends when it is there; these limits are only for what never comes, so they
 * are far beyond what a busy machine needs. (vitest polls for 1 s by default.)
 */
const patience = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 20_000 } },
};

/** Folders that use no Node API: no sockets, no files, no timers. */
const PURE_FOLDERS =
  'model,topology,policy,random,stream,measure,finding,compare,theory,explain,sim';
const PURE = `src/{${PURE_FOLDERS}}/**/*.test.ts`;

export default defineConfig({
  test: {
    // Most tests wait more than they work; vitest itself would leave a core of two alone.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...patience,
          name: 'unit',
          include: ['{src,web}/**/*.test.ts', 'test/{unit,style,support}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, PURE],
        },
      },
      {
        plugins: [inOnePiece(/\/src\/(sim\/index|measure\/fold)\.ts$/)],
        test: {
          ...patience,
          name: 'pure',
          include: [PURE, 'test/theory/**/*.test.ts'],
          // Files may share a process, and so its compiled code, where nothing is left behind.
          isolate: false,
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
        },
      },
    ],
  },
});
