/**
 * Gives tests the simulator as one module, bundled from src/ as it is. vitest makes a function of
 * every file, and a call of a getter of every use of an import: the simulator, whose hot paths go
 * through many files, took half as much time again.
 *
 * What such a module imports is not shared with the rest of the test, which must not matter: data
 * goes in and out.
 */
import { build, type Plugin, type Rolldown } from 'vite';

export function inOnePiece(modules: RegExp): Plugin {
  return {
    name: 'in-one-piece',
    enforce: 'pre',
    async load(id) {
      if (!modules.test(id)) return null;
      const built = await build({
        configFile: false,
        logLevel: 'warn',
        build: {
          ...{ ssr: id, target: 'node20', minify: false, sourcemap: true, write: false },
          // As program.config.ts does.
          rolldownOptions: { output: { topLevelVar: false } },
        },
      });
      const { output } = built as Rolldown.RolldownOutput;
      const [{ code, map }] = output;
      return { code, map };
    },
  };
}
