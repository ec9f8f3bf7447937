/** What is in `run.json` beside the `RunInfo`: the state of the recording and the summary. */
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { SpoolTotals } from './spool-reader.ts';
import type { TableName } from './tables.ts';

export const RECORDING_FORMAT = 'waterhammer-recording';
export const RECORDING_FORMAT_VERSION = 1;
export interface RecordingState {
  readonly format: typeof RECORDING_FORMAT;
  readonly formatVersion: number;
  /** `running` is also what a killed run leaves behind; `recovered` is one made readable again. */
  readonly state: 'prepared' | 'running' | 'complete' | 'recovered';
  readonly tables: readonly TableName[];
  /** What each process's spool held when it was converted. */
  readonly spools: readonly SpoolTotals[];
}

export interface RunDocument extends RunInfo {
  readonly recording: RecordingState;
  /** null while the run goes on, and after one that was killed. */
  readonly summary: Summary | null;
}
