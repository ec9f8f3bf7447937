/**
 * Builds what `waterhammer` runs into dist/bin: each process in a few files, with the packages
 * that it needs. Hundreds of small files cost a process half a second of CPU before its first
 * line of work (docs/decisions/start-up.md).
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  publicDir: false,
  logLevel: 'warn',
  // A browser driver reads files of its own package.
  ssr: { noExternal: true, external: ['playwright-core'] },
  build: {
    ssr: true,
    target: 'node20',
    outDir: here('dist/bin'),
    emptyOutDir: true,
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      input: {
        main: here('src/cli/main.ts'),
        'worker-main': here('src/live/supervisor/worker-main.ts'),
        'calibration-worker': here('src/calibrate/calibration-worker.ts'),
        paint: here('src/report/film/paint.ts'),
      },
      // Constants stay `const`: to V8 a `var` is whatever was stored in it last, and a simulated
      // request looks at hundreds of them (docs/decisions/simulator-speed.md).
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        topLevelVar: false,
      },
    },
  },
});
