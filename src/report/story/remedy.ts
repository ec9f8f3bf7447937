/**
 * A command that tries a remedy: where the text of a finding names a setting and a value
 * (`queue.reclaim: idle-yield`), and the topology takes them, the run can be made again with it.
 */
import type { RunInfo } from '../../model/run.ts';
import { parseTopology } from '../../topology/index.ts';
import { recordedDocument } from '../recorded-document.ts';

const SETTING = /\b([A-Za-z][\w-]*(?:\.[A-Za-z][A-Za-z0-9]*)+): ([\w./-]*\w)/;

export function remedyCommand(remedy: string, info: RunInfo): string | null {
  const found = SETTING.exec(remedy);
  if (found === null) return null;
  const set = `${found[1] ?? ''}=${found[2] ?? ''}`;
  const { text } = recordedDocument(info);
  const parsed = parseTopology(text, 'topology.yaml', { set: [set], scale: 1, timeScale: 1 });
  return 'problems' in parsed ? null : `${engineCommand(info)} topology.yaml --set ${set}`;
}

/** `waterhammer simulate`, or `run`: what makes such a recording. */
export function engineCommand({ engine }: Pick<RunInfo, 'engine'>): string {
  return engine === 'sim' ? 'waterhammer simulate' : 'waterhammer run';
}
