/**
 * Who left its calm first, and what a coarser metric makes of it.
 *
 * The calm of a series is a band around the median of its calm points: six robust standard
 * deviations, but at least a share of the median and a least amount that matters. A series has
 * left it where so many points in a row lie outside, so that one odd point is no move.
 *
 * `chartLeads` asks that of every chart of CloudWatch's (charts.ts) twice: of its seconds, and of
 * its minutes, as the team of the incident had them. Seconds tell the order; in minutes most of
 * it falls into one point, and what is short or small does not show at all.
 */
import type { RunInfo } from '../model/run.ts';
import { type Chart, chartsOf } from './charts.ts';
import { median } from './median.ts';
import type { SecondRow } from './rows.ts';

export interface Band {
  readonly middle: number;
  /** On either side. */
  readonly width: number;
}

/** What is the least that counts as a move: a share of the median, and an amount. */
export interface Least {
  readonly share: number;
  readonly amount: number;
}

export interface ChartLead {
  /** `nlb NewFlowCount`. */
  readonly name: string;
  /** The first second, from the start of the load, that lies outside of its calm. */
  readonly second: number;
  /** The first minute that does, from 1; null = no minute shows it. */
  readonly minute: number | null;
  /** In the unit of a second's chart. */
  readonly from: number;
  readonly peak: number;
}

const DEVIATIONS = 6;
/** Median absolute deviation of a normal distribution, as a share of its standard deviation. */
const MAD_OF_SIGMA = 0.6745;
/** Where a move ends up is looked for in so many points. */
const PEAK_POINTS = 30;
const CHART_SHARE = 0.1;
const MINUTE = 60;

/** Charts that are followed, with the least amount of a second that matters. */
const FOLLOWED: Readonly<Record<string, number>> = {
  Requests: 10,
  '5xxErrorRate': 1,
  Count: 10,
  NewFlowCount: 5,
  ActiveFlowCount: 5,
  RequestsPerNewFlow: 5,
  NewConnectionCount: 5,
  ActiveConnectionCount: 5,
  RequestsPerNewConnection: 5,
  CPUUtilization: 3,
  DatabaseConnections: 5,
  DBLoad: 2,
};

/** What is not known counts for nothing; a series without calm points has no band. */
export function calmBand(calm: readonly (number | null)[], least: Least): Band | null {
  const known = calm.filter((value) => value !== null && value !== undefined);
  if (known.length === 0) return null;
  const middle = median(known);
  const sigma = median(known.map((value) => Math.abs(value - middle))) / MAD_OF_SIGMA;
  const width = Math.max(DEVIATIONS * sigma, Math.abs(middle) * least.share, least.amount);
  return { middle, width };
}

/** Index of the first of so many points in a row outside of the band, from `since` on, or null. */
export function leaves(
  values: readonly (number | null)[],
  band: Band,
  { since, inARow }: { readonly since: number; readonly inARow: number },
): number | null {
  let outside = 0;
  for (let index = since; index < values.length; index++) {
    const value = values[index] ?? null;
    const isOutside = value !== null && Math.abs(value - band.middle) > band.width;
    outside = isOutside ? outside + 1 : 0;
    if (outside === inARow) return index - inARow + 1;
  }
  return null;
}

/** The farthest that a series gets on the side to which it left. */
export function peakAfter(
  values: readonly (number | null)[],
  index: number,
  { middle }: Band,
): number {
  const after = values.slice(index, index + PEAK_POINTS).filter((value) => value !== null);
  return (values[index] ?? middle) > middle ? Math.max(...after) : Math.min(...after);
}

/**
 * Charts that left their calm, the first to do so first. Calm are the seconds of the second half
 * of what lies before `calmUntil` (before that pools fill); null when no whole minute is calm.
 */
export function chartLeads(
  info: Pick<RunInfo, 'topology' | 'plan' | 'secondsPerRow'>,
  rows: Iterable<SecondRow>,
  calmUntil: number,
): ChartLead[] | null {
  const calmFrom = Math.floor(calmUntil / 2);
  const calmMinutes = [Math.ceil(calmFrom / MINUTE), Math.floor(calmUntil / MINUTE)] as const;
  if (calmMinutes[1] <= calmMinutes[0] || (info.secondsPerRow ?? 1) > 1) return null;
  const seconds = chartsOf(info, rows, { secondsPerPoint: 1 });
  const minutes = chartsOf(info, rows, { secondsPerPoint: MINUTE });
  const found = seconds.flatMap((chart, index) => {
    const amount = FOLLOWED[chart.metric];
    if (amount === undefined) return [];
    const move = moveOf(chart, { from: calmFrom, until: calmUntil, amount, inARow: 2 });
    if (move === null) return [];
    const perMinute = chart.statistic === 'Sum' ? MINUTE : 1;
    const shown = moveOf(minutes[index] ?? null, {
      from: calmMinutes[0],
      until: calmMinutes[1],
      amount: amount * perMinute,
      inARow: 1,
    });
    const name = `${chart.of} ${chart.metric}`;
    const { at, middle, peak } = move;
    return [{ name, second: at, minute: shown && shown.at + 1, from: middle, peak }];
  });
  return found.sort((x, y) => x.second - y.second || (x.name < y.name ? -1 : 1));
}

function moveOf(
  chart: Chart | null,
  calm: {
    readonly from: number;
    readonly until: number;
    readonly amount: number;
    readonly inARow: number;
  },
): { readonly at: number; readonly middle: number; readonly peak: number } | null {
  if (chart === null) return null;
  const { values } = chart;
  const { amount, inARow } = calm;
  const band = calmBand(values.slice(calm.from, calm.until), { share: CHART_SHARE, amount });
  const at = band === null ? null : leaves(values, band, { since: calm.until, inARow });
  if (band === null || at === null) return null;
  return { at, middle: band.middle, peak: peakAfter(values, at, band) };
}
