/** What can go wrong with a recording on disk. Codes are stable; messages are for people. */
export type RecordingErrorCode =
  /** The folder to record into holds something that is not a recording. */
  | 'folder-not-empty'
  /** There is no recording at that place. */
  | 'not-a-recording'
  /** `run.json` or a table is damaged or is not what it should be. */
  | 'recording-unreadable'
  /** Written by a version whose format this one does not know. */
  | 'recording-version'
  /** The run was killed (or goes on): its tables are not there yet. See `recoverRecording`. */
  | 'recording-incomplete'
  /** The table was not asked for when the run was recorded (`--record-events`). */
  | 'recording-without-events'
  /** Nothing to recover: the spools are gone. */
  | 'recording-without-spools'
  /** The disk did not take what was written. */
  | 'recording-write-failed';

export class RecordingError extends Error {
  readonly code: RecordingErrorCode;

  constructor(code: RecordingErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RecordingError';
    this.code = code;
  }
}

/** The text of whatever was thrown. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The code of a system error (`ENOENT`), or null. */
export function systemCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}
