/** Several processes that share the windows to be simulated; answers come in the order asked. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Task, TaskResult } from './simulate-window.ts';

const WORKER_MAIN = fileURLToPath(new URL('./calibration-worker.js', import.meta.url));

export class WorkerPool {
  readonly #children: ChildProcess[] = [];
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  /** null when the signal was given before all were done. `onDone` after each. */
  async all(
    tasks: readonly Task[],
    signal: AbortSignal,
    onDone: (result: TaskResult) => void,
  ): Promise<readonly TaskResult[] | null> {
    const results: TaskResult[] = [];
    let next = 0;
    const work = async (child: ChildProcess): Promise<void> => {
      for (let task = tasks[next]; task !== undefined; task = tasks[next]) {
        if (signal.aborted) return;
        const place = next;
        next += 1;
        const result = await ask(child, task, signal);
        if (result === null) return;
        results[place] = result;
        onDone(result);
      }
    };
    while (this.#children.length < Math.min(this.#count, tasks.length)) {
      this.#children.push(fork(WORKER_MAIN, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
    }
    await Promise.all(this.#children.map(work));
    return signal.aborted ? null : results;
  }

  close(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }
}

/** null when the signal is given meanwhile. */
function ask(child: ChildProcess, task: Task, signal: AbortSignal): Promise<TaskResult | null> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', heard);
      child.off('exit', died);
      signal.removeEventListener('abort', aborted);
    };
    const heard = (result: unknown): void => {
      settle();
      resolve(result as TaskResult);
    };
    const died = (code: number | null, by: string | null): void => {
      settle();
      reject(new Error(`a simulating process ended with ${by ?? `exit code ${code}`}`));
    };
    const aborted = (): void => {
      settle();
      resolve(null);
    };
    child.once('message', heard);
    child.once('exit', died);
    signal.addEventListener('abort', aborted);
    child.send(task);
  });
}
