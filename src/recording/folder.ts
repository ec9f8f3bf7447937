/**
 * The files of a recording folder.
 *
 *   run.json              who is who and what was struck (run-document.ts); also the mark by
 *                         which a folder is known as a recording
 *   connections.parquet   one row per TCP connection
 *   exchanges.parquet     one row per request and link
 *   series.parquet        values per second
 *   slots.parquet         slots of connections at queues, granted, taken back and given up
 *   events.parquet        every event, if asked for; events.ndjson likewise
 *   run.json.room         while a simulation goes on: room that run.json will need
 *   spool-<process>.seg   events while the run goes on, and after a run that was killed
 *
 * A recording may be written over; a folder with anything else in it is never touched. Only
 * files with these names are removed, never what else lies beside them.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordingError, reasonOf, systemCode } from './error.ts';
import { isRecording, writeMark } from './run-document.ts';

const ROOM = 'run.json.room';
const SPOOL = /^spool-(\d{1,5})\.seg$/;
const OURS = [
  /^run\.json(\.partial|\.room)?$/,
  /^(connections|exchanges|series|slots|events)\.(parquet|ndjson)(\.partial)?$/,
  SPOOL,
  /^policies-\d{1,5}(\.[a-z]+)?$/,
  /^control\.json$/,
  /^[\w-]{1,64}-access\.log$/,
];

/**
 * Makes the folder ready for a new recording: creates it, or empties it of an earlier one.
 * Throws a RecordingError: `folder-not-empty`, `recording-write-failed`.
 */
export async function prepareRecording(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const names = await readdir(folder);
    if (names.length > 0 && !(await isRecording(folder))) {
      throw new RecordingError(
        'folder-not-empty',
        `${folder} is not empty and not a recording; choose another folder`,
      );
    }
    for (const name of names) {
      if (OURS.some((one) => one.test(name))) await rm(join(folder, name), { force: true });
    }
    await writeMark(folder);
  } catch (thrown) {
    if (systemCode(thrown) === null || thrown instanceof RecordingError) throw thrown;
    const text = `${folder} cannot be recorded into: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-write-failed', text, thrown);
  }
}

/** For `run.json`, which with a thousand hosts is about one megabyte, and a short series. */
const ROOM_BYTES = 2 * 1_048_576;

/** Takes room on the disk that is given back when all but the last and smallest is written. */
export function reserveRoom(folder: string): void {
  try {
    writeFileSync(join(folder, ROOM), Buffer.alloc(ROOM_BYTES));
  } catch (thrown) {
    releaseRoom(folder);
    const text = `${folder} has no room for a recording: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-write-failed', text, thrown);
  }
}

export function releaseRoom(folder: string): void {
  rmSync(join(folder, ROOM), { force: true });
}

/** Spools in the folder, by process number. */
export async function spoolPaths(folder: string): Promise<string[]> {
  const spools: { process: number; name: string }[] = [];
  for (const name of await readdir(folder)) {
    const process = SPOOL.exec(name)?.[1];
    if (process !== undefined) spools.push({ process: Number(process), name });
  }
  return spools.sort((x, y) => x.process - y.process).map((one) => join(folder, one.name));
}

export async function removeSpools(folder: string): Promise<void> {
  for (const path of await spoolPaths(folder)) await rm(path, { force: true });
}
