/**
 * The supervisor's side of one worker process: starts it, asks and awaits, notices its death.
 * The last lines that it wrote to stderr are kept: they say why it died.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker, WorkerInit } from './messages.ts';
import { ParkedListeners } from './parked-listeners.ts';
import type { Answer, StruckWorker } from './strike.ts';

const WORKER_MAIN = fileURLToPath(new URL('./worker-main.js', import.meta.url));
const STDERR_KEPT = 4_000;
/** A worker that does not answer for this long is taken for hung. */
const ANSWER_TIMEOUT_MS = 60_000;

export interface WorkerListener {
  onMessage(message: FromWorker): void;
  onDeath(reason: string): void;
}

export class WorkerProcess implements StruckWorker {
  readonly name: string;
  readonly number: number;
  /** Set when it has ended, wanted or not. */
  ended = false;
  #stopping = false;
  readonly #parked: ParkedListeners;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<FromWorker['type'], ((message: FromWorker | Error) => void)[]>();
  #stderr = '';

  /** @param flags for node */
  constructor(name: string, number: number, flags: string[], listener: WorkerListener) {
    this.name = name;
    this.number = number;
    this.#child = fork(WORKER_MAIN, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
      execArgv: flags,
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
    });
    this.#parked = new ParkedListeners((message, handle, sent) => {
      // node's types know no bare handles; node does.
      if (this.#child.connected) {
        Reflect.apply(this.#child.send, this.#child, [message, handle, {}, sent]);
      } else sent();
    });
    this.#child.on('message', (message: FromWorker, handle: unknown) => {
      this.#parked.heard(message, handle);
      const waiting = this.#waiting.get(message.type);
      waiting?.shift()?.(message);
      listener.onMessage(message);
    });
    this.#child.on('exit', (code, signal) => {
      this.ended = true;
      this.#parked.closeAll();
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      const reason = `process "${name}" ended with ${how}${this.#lastWords()}`;
      for (const waiting of this.#waiting.values()) {
        for (const settle of waiting.splice(0)) settle(new Error(reason));
      }
      if (!this.#stopping) listener.onDeath(reason);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  start(init: WorkerInit): Promise<Answer<'ready'>> {
    return this.ask({ type: 'init', init }, 'ready');
  }

  send(message: ToWorker): void {
    if (!this.ended && this.#child.connected) this.#child.send(message);
  }

  ask<T extends FromWorker['type']>(message: ToWorker, answer: T): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(new Error(`process "${this.name}" has ended`));
        return;
      }
      const timer = setTimeout(
        () => reject(new Error(`process "${this.name}" does not answer`)),
        ANSWER_TIMEOUT_MS,
      );
      const waiting = this.#waiting.get(answer) ?? [];
      waiting.push((result) => {
        clearTimeout(timer);
        if (result instanceof Error) reject(result);
        else resolve(result as Answer<T>);
      });
      this.#waiting.set(answer, waiting);
      this.send(message);
    });
  }

  /** Lets it close everything, then waits until it is gone; kills it if it does not go. */
  async stop(): Promise<Answer<'stopped'> | null> {
    this.#stopping = true;
    if (this.ended) return null;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    const answer = await this.ask({ type: 'stop' }, 'stopped').catch(() => null);
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    if (!this.ended) await gone;
    clearTimeout(timer);
    return answer;
  }

  kill(): void {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
  }

  #lastWords(): string {
    const text = this.#stderr.trim();
    return text === '' ? '' : `:\n${text}`;
  }
}
