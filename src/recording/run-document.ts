/**
 * `run.json`: a `RunInfo` with the summary and the state of the recording beside it.
 *
 * It is written early, while the run goes on (what is not known yet is null), and again at the
 * end. Each time it is replaced as a whole by a rename, so that whoever reads it, and a kill at
 * any moment, finds one version or the other. Reading checks everything that other parts use as
 * an index or walk over; the settings of the hops are taken as they are.
 */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import { RecordingError, reasonOf, systemCode } from './error.ts';
import {
  RECORDING_FORMAT,
  RECORDING_FORMAT_VERSION,
  type RecordingState,
  type RunDocument,
} from './run-format.ts';

/** A run with a thousand hosts writes about one megabyte. */
const RUN_BYTES_MAX = 64 * 1_048_576;

/** Writes `run.json` anew. Throws a RecordingError (`recording-write-failed`). */
export async function writeRun(
  folder: string,
  info: RunInfo,
  recording: Omit<RecordingState, 'format' | 'formatVersion'>,
  summary: Summary | null,
): Promise<void> {
  await replace(folder, { ...info, recording: marked(recording), summary });
}

/** Marks an empty folder as a recording to come. */
export async function writeMark(folder: string): Promise<void> {
  await replace(folder, { recording: marked({ state: 'prepared', tables: [], spools: [] }) });
}

/** Is there a `run.json` of a recording, of whatever version and however damaged beyond that? */
export async function isRecording(folder: string): Promise<boolean> {
  const format = await readDocument(folder)
    .then((document) => formatOf(document).format)
    .catch(() => null);
  return format === RECORDING_FORMAT;
}

/**
 * Reads `run.json`. Throws a RecordingError: `not-a-recording`, `recording-version`,
 * `recording-incomplete` (stopped before the run began), `recording-unreadable`.
 */
export async function readRun(folder: string): Promise<RunDocument> {
  const document = await readDocument(folder);
  const { format, formatVersion, state } = formatOf(document);
  if (format !== RECORDING_FORMAT) {
    throw new RecordingError('not-a-recording', `${folder} is not a recording`);
  }
  if (formatVersion !== RECORDING_FORMAT_VERSION) {
    throw new RecordingError(
      'recording-version',
      `${folder} has format ${String(formatVersion)}; known is ${RECORDING_FORMAT_VERSION}`,
    );
  }
  if (state === 'prepared') {
    throw new RecordingError('recording-incomplete', `${folder}: the run ended before it began`);
  }
  const { parseRunDocument } = await import('./run-schema.ts');
  const { value, problems } = parseRunDocument(document);
  if (value === null) {
    const text = `${join(folder, 'run.json')} is damaged: ${problems.join('; ')}`;
    throw new RecordingError('recording-unreadable', text);
  }
  return value;
}

function marked(state: Omit<RecordingState, 'format' | 'formatVersion'>): RecordingState {
  return { format: RECORDING_FORMAT, formatVersion: RECORDING_FORMAT_VERSION, ...state };
}

async function replace(folder: string, document: object): Promise<void> {
  const path = join(folder, 'run.json');
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    const file = await open(partial, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(document, null, 1)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (thrown) {
    // A half of it would take room that a full disk needs for what is whole.
    await rm(partial, { force: true }).catch(() => {});
    const text = `${path} cannot be written: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-write-failed', text, thrown);
  }
}

async function readDocument(folder: string): Promise<unknown> {
  const path = join(folder, 'run.json');
  try {
    const { size } = await stat(path);
    if (size > RUN_BYTES_MAX) throw new Error(`larger than ${RUN_BYTES_MAX} bytes`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const text = `${folder} is not a recording: it has no run.json`;
      throw new RecordingError('not-a-recording', text, thrown);
    }
    const text = `${path} cannot be read: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-unreadable', text, thrown);
  }
}

function formatOf(document: unknown): { format: unknown; formatVersion: unknown; state: unknown } {
  const recording = field(document, 'recording');
  return {
    format: field(recording, 'format'),
    formatVersion: field(recording, 'formatVersion'),
    state: field(recording, 'state'),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
