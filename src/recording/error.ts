/** What can go wrong with a recording on disk. The codes are stable; the messages are for people. */
export type RecordingErrorCode =
  /** The folder to record into holds something that is not a recording. */
  | 'RECORDING_FOLDER_IN_USE'
  /** There is no recording at that place. */
  | 'RECORDING_NOT_FOUND'
  /** `run.json` or a table is damaged or is not what it should be. */
  | 'RECORDING_UNREADABLE'
  /** Written by a version whose format this one does not know. */
  | 'RECORDING_VERSION'
  /** The run was killed (or goes on): its tables are not there yet. See `recoverRecording`. */
  | 'RECORDING_INCOMPLETE'
  /** The table was not asked for when the run was recorded (`--record-events`). */
  | 'RECORDING_WITHOUT_EVENTS'
  /** The disk did not take what was written. */
  | 'RECORDING_WRITE_FAILED';

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
