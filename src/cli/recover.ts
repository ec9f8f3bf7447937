/**
 * `waterhammer recover`: makes the recording of a killed run readable, from the events that it
 * had spooled. Its books cannot be struck, because nobody counted the live sockets at the end:
 * `balanced` is unknown, and what was open stays so.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CONTROL_FILE } from '../live/supervisor/control-server.ts';
import { ledger } from '../measure/ledger.ts';
import type { Summary } from '../model/summary.ts';
import { recoverRecording } from '../recording/convert.ts';
import { ExitCode } from './exit-code.ts';
import { booksText } from './text-summary.ts';
import { writeJson } from './written-json.ts';

export interface RecoverCommandOptions {
  readonly recordEvents?: boolean;
  readonly ndjson?: boolean;
  readonly json?: boolean;
}

export async function recover(recording: string, options: RecoverCommandOptions): Promise<number> {
  await refuseWhileItRuns(recording);
  const { result, events } = await recoverRecording(recording, ledger, {
    recordEvents: options.recordEvents === true || options.ndjson === true,
    ndjson: options.ndjson === true,
    summaryOf: ({ summary }) => unstruck(summary, recording),
  });
  const summary = unstruck(result.summary, recording);
  if (options.json === true) writeJson({ recording, events, summary });
  else process.stdout.write(`${events} events recovered\n${booksText(summary)}`);
  return ExitCode.done;
}

/**
 * Processes had spooled up to different instants when they were killed: what one end says and
 * the other does not is no disagreement here.
 */
function unstruck(summary: Omit<Summary, 'recording' | 'findings'>, recording: string): Summary {
  return { ...summary, balanced: null, imbalances: [], recording, findings: [] };
}

/** A killed run leaves its announcement behind; one that goes on still has its process. */
async function refuseWhileItRuns(recording: string): Promise<void> {
  const text = await readFile(path.join(recording, CONTROL_FILE), 'utf8').catch(() => null);
  if (text === null) return;
  const { pid }: { pid: number } = JSON.parse(text);
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  const message = `the run in ${recording} goes on as process ${pid} (else remove ${CONTROL_FILE})`;
  throw Object.assign(new Error(message), { code: 'bad-argument' });
}
