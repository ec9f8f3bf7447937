/**
 * Runs one command of the project's checks in its own process group, with a time limit, and
 * keeps its output until it is known whether anybody needs to read it.
 *
 * When the command has ended, its group must be empty: a process that outlives the tests is a
 * failure of its own. (A process that started a session for itself is not seen here; the tests'
 * own helper finds those by a marker in their environment.)
 */
import { spawn } from 'node:child_process';

/** Of a longer output the beginning is dropped: the end has the failures and the summary. */
const outputCharactersMax = 4_000_000;
const running = new Set();

/**
 * @param {{command: string, args: string[], cwd: string, minutesMax: number}} step
 * @returns {Promise<{ok: boolean, output: string, seconds: number}>}
 */
export function runStep({ command, args, cwd, minutesMax }) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    let output = '';
    let late = false;
    const collect = (text) => {
      output = (output + text).slice(-outputCharactersMax);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const limit = setTimeout(() => {
      late = true;
      signalGroup(child.pid, 'SIGKILL');
    }, minutesMax * 60_000);
    running.add(child);
    const finish = (code, leftover) => {
      clearTimeout(limit);
      running.delete(child);
      const trouble = [];
      if (late) trouble.push(`not finished after ${minutesMax} minutes: killed`);
      if (leftover && !late) trouble.push('it left processes behind, which were killed');
      const seconds = (performance.now() - startedAt) / 1000;
      const ok = code === 0 && trouble.length === 0;
      resolve({ ok, output: [output, ...trouble].join('\n').trim(), seconds });
    };
    child.on('error', (error) => {
      collect(`${command}: ${error.message}`);
      finish(1, false);
    });
    // 'exit', not 'close': a process left behind may hold the pipes open for ever.
    child.on('exit', (code) => {
      const leftover = signalGroup(child.pid, 0);
      if (leftover) {
        signalGroup(child.pid, 'SIGKILL');
      }
      setImmediate(() => finish(code, leftover));
    });
  });
}

/** Ends whatever runs now; for Ctrl-C. */
export function stopSteps() {
  for (const child of running) {
    signalGroup(child.pid, 'SIGTERM');
  }
}

function signalGroup(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
