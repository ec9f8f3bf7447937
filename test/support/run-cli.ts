/**
 * Runs the built command line as a user would: a process of its own, with arguments, signals and
 * exit code. Each run has a private folder for temporary files and a marker in its environment,
 * so that the result can say what the program left behind: processes and files.
 *
 * Bounded: a run that exceeds its time or prints too much is killed with all its processes, and
 * fails with what it has printed so far.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { killAll, MARKER, orphansOf, type ProcessEntry, processesOf } from './processes.ts';
import { tempFolder } from './temp-folder.ts';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const outputCharactersMax = 64 * 1024 * 1024;

export interface CliOptions {
  /** Killed after this many ms. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another JavaScript program than dist/bin/main.js, for tests of this helper. */
  readonly program?: string;
}

export interface CliResult {
  /** Exit code; null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Processes that outlived the program; they have been killed. */
  readonly orphans: readonly ProcessEntry[];
  /** Names in the program's folder for temporary files; they have been removed. */
  readonly leftInTemp: readonly string[];
}

/** Runs to the end. @throws after `timeoutMs` */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/**
 * Starts and hands over, for tests that talk to a running program. `await using run = startCli()`
 * kills it at the end of the block, if it still runs.
 */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  return new RunningCli(args, options);
}

export class RunningCli implements AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  readonly #mark = randomUUID();
  readonly #temp = tempFolder();
  readonly #timeoutMs: number;
  readonly #output = { stdout: '', stderr: '' };
  #trouble: string | null = null;
  #alive = true;

  constructor(args: readonly string[], options: CliOptions) {
    const program = options.program ?? join(projectRoot, 'dist', 'bin', 'main.js');
    if (!existsSync(program)) {
      throw new Error(`${program} is missing: npm run build`);
    }
    const own = { NO_COLOR: '1', TMPDIR: this.#temp.path, [MARKER]: this.#mark };
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? projectRoot,
      env: { ...process.env, ...own, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid === undefined) {
      throw new Error(`cannot start ${process.execPath}`);
    }
    this.pid = child.pid;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#collect('stdout', text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#collect('stderr', text));
    this.ended = this.#end(child);
    // A test that fails earlier does not await it; that must not count as a second failure.
    this.ended.catch(() => {});
  }

  stdout(): string {
    return this.#output.stdout;
  }

  stderr(): string {
    return this.#output.stderr;
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Resolves with the first match in stdout or stderr; rejects when the program ends before. */
  async waitFor(pattern: RegExp, withinMs = this.#timeoutMs): Promise<RegExpExecArray> {
    for (let waitedMs = 0; waitedMs < withinMs; waitedMs += 20) {
      const match = pattern.exec(this.stdout()) ?? pattern.exec(this.stderr());
      if (match !== null) {
        return match;
      }
      if (!this.#alive) {
        throw new Error(`the program ended before it printed ${pattern}\n${this.#printed()}`);
      }
      await sleep(20);
    }
    throw new Error(`not printed within ${withinMs} ms: ${pattern}\n${this.#printed()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#alive) {
      this.#giveUp('still running at the end of the block');
    }
    await this.ended.catch(() => {});
  }

  #collect(name: 'stdout' | 'stderr', text: string): void {
    this.#output[name] += text;
    if (this.#output[name].length > outputCharactersMax) {
      this.#giveUp(`printed too much to ${name}`);
    }
  }

  #giveUp(trouble: string): void {
    this.#trouble ??= trouble;
    killAll(processesOf(this.pid, this.#mark));
  }

  async #end(child: ChildProcess): Promise<CliResult> {
    const late = () => this.#giveUp(`not finished after ${this.#timeoutMs} ms`);
    const limit = setTimeout(late, this.#timeoutMs);
    const closed = once(child, 'close');
    await once(child, 'exit');
    this.#alive = false;
    clearTimeout(limit);
    const orphans = await orphansOf(this.pid, this.#mark);
    killAll(orphans);
    // An orphan may have held the pipes open; now the last output can be awaited.
    await Promise.race([closed, sleep(5_000, undefined, { ref: false })]);
    const leftInTemp = readdirSync(this.#temp.path);
    this.#temp[Symbol.dispose]();
    if (this.#trouble !== null) {
      throw new Error(`${this.#trouble}; printed so far:\n${this.#printed()}`);
    }
    const { exitCode: code, signalCode: signal } = child;
    return { code, signal, ...this.#output, orphans, leftInTemp };
  }

  #printed(): string {
    return `${this.stdout()}${this.stderr()}`;
  }
}
