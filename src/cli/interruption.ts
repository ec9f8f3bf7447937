/**
 * Ctrl-C and SIGTERM: the first ends the load and strikes the books of what there was; a second,
 * at least a second later, gives up. (npm passes a Ctrl-C on that the terminal has already
 * delivered, so that one press arrives twice within milliseconds.)
 */
import { ExitCode } from './exit-code.ts';

const SAME_PRESS_MS = 1_000;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Lets signals do again what they do by default. */
  stop(): void;
}

/** @param words quiet: nothing is going on that would have to be struck */
export function onInterrupt(words: 'said' | 'quiet' = 'said'): Interruption {
  const controller = new AbortController();
  let first = 0;
  const hear = (): void => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      first = now;
      if (words === 'said') {
        process.stderr.write('\ninterrupted: striking the books (once more to give up)\n');
      }
      controller.abort();
    } else if (now - first > SAME_PRESS_MS) process.exit(ExitCode.interrupted);
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', hear);
      process.off('SIGTERM', hear);
    },
  };
}
