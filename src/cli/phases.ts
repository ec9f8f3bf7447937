/**
 * A run cut into its phases, which are the timeline's `mark` actions, and what each showed. The
 * story of the demo in numbers.
 */
import type { SecondRow } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';

export interface Phase {
  readonly name: string;
  readonly fromSecond: number;
  readonly toSecond: number;
  /** New connections per second on the watched link. */
  readonly newPerSecond: number;
  readonly requestsPerNewConnection: number | null;
  /** The most connections that were open at once on the watched link. */
  readonly openMax: number;
  /** The most connections that the queue held at once. */
  readonly heldMax: number;
  readonly okPerSecond: number;
  readonly throttled429PerSecond: number;
  readonly serverErrors5xxPerSecond: number;
  /** The worst second's p99 of the worst client group. */
  readonly p99Ms: number | null;
}

/** `link` is the name of the link that is watched, `queue` that of the connection queue. */
export function phasesOf(
  info: RunInfo,
  seconds: readonly SecondRow[],
  link: string,
  queue: string,
): Phase[] {
  const notes = info.marks.filter((mark) => mark.kind === 'note');
  const end = Math.floor(((info.loadEnd ?? info.loadStart) - info.loadStart) / 1e6);
  return notes.map((mark, index) => {
    const from = Math.round((mark.at - info.loadStart) / 1e6);
    const next = notes[index + 1];
    const to = next === undefined ? end : Math.round((next.at - info.loadStart) / 1e6);
    const rows = seconds.filter((row) => row.second >= from && row.second < to);
    return {
      name: mark.text,
      fromSecond: from,
      toSecond: to,
      ...figures(rows, to - from, link, queue),
    };
  });
}

function figures(rows: readonly SecondRow[], length: number, link: string, queue: string) {
  const values = (scope: string, measure: string): number[] =>
    rows
      .filter((row) => row.scope.startsWith(scope) && row.measure === measure)
      .map((row) => row.value ?? 0);
  const sum = (scope: string, measure: string): number =>
    values(scope, measure).reduce((total, value) => total + value, 0);
  const most = (scope: string, measure: string): number =>
    values(scope, measure).reduce((max, value) => Math.max(max, value), 0);
  const opened = sum(`link:${link}`, 'opened');
  const perSecond = (total: number): number => total / Math.max(length, 1);
  return {
    newPerSecond: perSecond(opened),
    requestsPerNewConnection: opened === 0 ? null : sum(`link:${link}`, 'exchanges') / opened,
    openMax: most(`link:${link}`, 'open'),
    heldMax: most(`hop:${queue}`, 'held'),
    okPerSecond: perSecond(sum('clients:', 'ok')),
    throttled429PerSecond: perSecond(sum('clients:', 'throttled429')),
    serverErrors5xxPerSecond: perSecond(sum('clients:', 'serverErrors5xx')),
    p99Ms: worstP99(rows),
  };
}

function worstP99(rows: readonly SecondRow[]): number | null {
  let worst: number | null = null;
  for (const row of rows) {
    if (row.measure === 'latencyP99Ms' && row.value !== null)
      worst = Math.max(worst ?? 0, row.value);
  }
  return worst;
}
