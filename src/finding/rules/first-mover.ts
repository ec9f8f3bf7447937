/**
 * Which series moved first. For each series the calm is what it showed before the first fault
 * or change (or, without marks, in the first quarter of the load); it has moved at the first of
 * two seconds in a row that lie outside calm median +- 6 robust standard deviations and at least
 * half of the median away. The finding lists who moved when, and what a 1-minute metric makes of
 * it: how many of them fall into the same minute, where their order cannot be seen.
 *
 * Seconds are the finest grain of the series, so leads below one second are reported as ties.
 */
import { calmBand, leaves, peakAfter } from '../../measure/lead.ts';
import type { SecondRow } from '../../measure/rows.ts';
import type { FindingInput, Rule } from '../input.ts';
import { round } from '../input.ts';

const CALM_SECONDS_MIN = 4;
/** Series named in the title; the evidence lists all. */
const NAMED_MAX = 4;
/** The first seconds are warm-up: pools fill. */
const WARM_UP_SECONDS = 2;

/** What is watched, with the least change that matters (in the series' own unit). */
const WATCHED: readonly (readonly [scope: string, measure: string, least: number])[] = [
  ['link:', 'open', 5],
  ['link:', 'opened', 5],
  ['hop:', 'held', 3],
  ['hop:', 'waiting', 3],
  ['clients:', 'latencyP99Ms', 20],
  ['clients:', 'answered', 10],
  ['clients:', 'serverErrors5xx', 3],
  ['clients:', 'throttled429', 3],
  ['clients:', 'failed', 3],
];

interface Move {
  readonly name: string;
  readonly second: number;
  readonly from: number;
  readonly peak: number;
}

export const firstMover: Rule = (input) => {
  // Rows of a minute cannot tell who moved first: that is what this finding is about.
  if ((input.info.secondsPerRow ?? 1) > 1) return [];
  const calmEnd = calmSeconds(input);
  if (calmEnd < WARM_UP_SECONDS + CALM_SECONDS_MIN) return [];
  const moves = [...columns(input.seconds)]
    .map(([name, values]) => moveOf(name, values, calmEnd))
    .filter((move): move is Move => move !== null)
    .sort((x, y) => x.second - y.second || (x.name < y.name ? -1 : 1));
  const first = moves[0];
  if (first === undefined || moves.length < 2) return [];
  const minute = 60 * input.topology.applied.timeScale;
  const inFirstMinute = moves.filter(
    (move) => Math.floor(move.second / minute) === Math.floor(first.second / minute),
  );
  const ties = moves.filter((move) => move.second === first.second);
  const last = moves[moves.length - 1] ?? first;
  const next = moves.find((move) => move.second > first.second);
  return [
    {
      kind: 'first-mover',
      hop: null,
      severity: 'info',
      title:
        `${list(ties)} moved first, at ` + `second ${first.second}; ${followedBy(first, next)}.`,
      evidence: {
        order: moves.map((move) => `+${move.second - first.second} s ${move.name} ${change(move)}`),
        firstSecond: first.second,
        leadSeconds: next === undefined ? null : next.second - first.second,
        spreadSeconds: last.second - first.second,
        inTheSameMinute: inFirstMinute.length,
        hiddenByMinutes: inFirstMinute.length > 1,
      },
      remedy:
        `Record these series once a second: in 1-minute metrics ${inFirstMinute.length} of ` +
        `${moves.length} movements fall into the same point and their order cannot be seen.`,
    },
  ];
};

/** The first few by name, the others by number. */
function list(moves: readonly Move[]): string {
  const named = moves.slice(0, NAMED_MAX).map((move) => `${move.name} (${change(move)})`);
  const rest = moves.length - named.length;
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function followedBy(first: Move, next: Move | undefined): string {
  if (next === undefined) return 'nothing followed later';
  return `${next.name} followed ${next.second - first.second} s later`;
}

function change(move: Move): string {
  return `${round(move.from, 1)} -> ${round(move.peak, 1)}`;
}

/** Seconds of calm: up to the first fault or setting, else a quarter of the load. */
export function calmSeconds({ info }: FindingInput): number {
  const disturbance = info.marks.find((mark) => mark.kind === 'fault' || mark.kind === 'set');
  const end =
    disturbance?.at ?? info.loadStart + ((info.loadEnd ?? info.loadStart) - info.loadStart) / 4;
  return Math.floor((end - info.loadStart) / 1e6);
}

function columns(rows: Iterable<SecondRow>): Map<string, { values: number[]; least: number }> {
  const found = new Map<string, { values: number[]; least: number }>();
  for (const row of rows) {
    if (row.second < 0 || row.scope.endsWith('#alive')) continue;
    const watched = WATCHED.find(
      ([scope, measure]) => row.scope.startsWith(scope) && row.measure === measure,
    );
    if (watched === undefined) continue;
    const name = `${row.scope.slice(row.scope.indexOf(':') + 1)} ${row.measure}`;
    const column = found.get(name) ?? { values: [], least: watched[2] };
    column.values[row.second] = row.value ?? 0;
    found.set(name, column);
  }
  return found;
}

function moveOf(
  name: string,
  column: { readonly values: readonly number[]; readonly least: number },
  calmEnd: number,
): Move | null {
  const { values, least } = column;
  const band = calmBand(values.slice(WARM_UP_SECONDS, calmEnd), { share: 0.5, amount: least });
  const second = band === null ? null : leaves(values, band, { since: calmEnd, inARow: 2 });
  if (band === null || second === null) return null;
  return { name, second, from: band.middle, peak: peakAfter(values, second, band) };
}
