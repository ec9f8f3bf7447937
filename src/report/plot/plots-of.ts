/**
 * The plots of a run, in the order in which they tell the story. Where CloudWatch has a chart of
 * a thing, the plot bears its name. A plot of nothing, or of one point, is
 * left out.
 */
import { type Chart, chartsOf } from '../../measure/charts.ts';
import { count } from '../numbers.ts';
import { hopNamed, type RunData, slotsOf, type Values, watchedLink } from '../run-data.ts';
import type { PlotLine, PlotSpec, Tone } from './plot-spec.ts';

/** More points than this are not seen in a plot of some hundred pixels. */
const POINTS_MAX = 360;
/** A ratio of two counts wants more than a second of them. */
const RATIO_SECONDS = 10;
const TONES: readonly Tone[] = ['active', 'held', 'good', 'closing', 'idle'];
/** Above this ratio of the highest to the lowest value the low ones are not seen. */
const LOG_FROM = 40;

export function plotsOf(run: RunData): PlotSpec[] {
  const width = secondsPerPoint(run);
  const plots = [
    perNewConnection(run, Math.max(width, ratioSeconds(run))),
    ...slots(run, width),
    ...connections(run, width),
    outcomes(run, width),
    latencies(run, width),
    ...cloudWatch(run, width),
    hosts(run, width),
    attempts(run, Math.max(width, ratioSeconds(run))),
  ];
  const shows = (line: PlotLine): boolean => hasValue(line) && points(line) > 1;
  return plots.filter((plot): plot is PlotSpec => plot?.lines.some(shows) === true);
}

function points({ values }: PlotLine): number {
  return values.filter((value) => value !== null).length;
}

function hasValue({ values }: PlotLine): boolean {
  return values.some((value) => value !== null && value !== 0);
}

function secondsPerPoint({ series }: RunData): number {
  return series.step * Math.ceil(series.length / POINTS_MAX);
}

/** Ten seconds, or less of a short run. */
function ratioSeconds({ series: { step, length } }: RunData): number {
  const wanted = Math.min(RATIO_SECONDS, Math.ceil((length * step) / 20));
  return step * Math.max(1, Math.ceil(wanted / step));
}

interface Named {
  readonly title: string;
  readonly what: string;
}

function perNewConnection(run: RunData, width: number): PlotSpec | null {
  const link = watchedLink(run.info);
  if (link === null) return null;
  const values = ratio(
    binned(run, run.series.get(`link:${link}`, 'exchanges'), width, 'sum'),
    binned(run, run.series.get(`link:${link}`, 'opened'), width, 'sum'),
  );
  const title = 'Requests per new connection';
  const what = `requests / connections opened on ${link}, in windows of ${count(width)} s`;
  return plot({ title, what }, width, [{ label: link, tone: 'active', values }], { scale: 'log' });
}

/** By state, on all hosts together. */
function slots({ info, summary, series }: RunData, width: number): PlotSpec[] {
  return summary.queues.map(({ name, activeMax }) => {
    const value = slotsOf(info, name, activeMax);
    const of = (measure: string): Values | null => series.get(`hop:${name}`, measure);
    const bin = (values: Values | null): Values => binned({ series }, values, width, 'mean');
    const taken = bin(of('active'));
    const share = bin(of('slotUtilisation'));
    const working = taken.map((slots, i) => times(slots, share[i] ?? null));
    const lines: PlotLine[] = [
      { label: 'slots taken', tone: 'idle', values: taken },
      { label: 'of these, with a request in flight', tone: 'active', values: working },
      { label: 'requests waiting for a slot', tone: 'held', values: bin(of('waiting')) },
    ];
    const names = { title: `Slots of ${name}`, what: `slots and waiting requests, all hosts` };
    return plot(names, width, lines, { bound: { value, label: `${count(value)} slots` } });
  });
}

function connections(run: RunData, width: number): (PlotSpec | null)[] {
  const { info, series } = run;
  const link = watchedLink(info);
  if (link === null) return [];
  const kind = hopNamed(info, link.slice(link.indexOf('->') + 2))?.kind;
  const flow = kind === 'l7-balancer' ? 'Connection' : 'Flow';
  const isBalancer = kind === 'l4-balancer' || kind === 'l7-balancer';
  const line = (measure: string, how: 'mean' | 'rate'): PlotLine[] => [
    {
      label: link,
      tone: 'active',
      values: binned(run, series.get(`link:${link}`, measure), width, how),
    },
  ];
  return [
    plot(
      {
        title: isBalancer ? `New${flow}Count` : 'New connections',
        what: `connections opened per second on ${link}`,
      },
      width,
      line('opened', 'rate'),
    ),
    plot(
      {
        title: isBalancer ? `Active${flow}Count` : 'Open connections',
        what: `connections open on ${link}`,
      },
      width,
      line('open', 'mean'),
    ),
  ];
}

/** What clients got, per second. */
function outcomes(run: RunData, width: number): PlotSpec {
  const kinds = [
    ['ok', 'succeeded', 'good'],
    ['throttled429', '429', 'closing'],
    ['serverErrors5xx', '5xx', 'held'],
    ['failed', 'no answer', 'idle'],
  ] as const;
  const lines = kinds.map(
    ([measure, label, tone]): PlotLine => ({
      label,
      tone,
      values: binned(run, run.series.sum('clients:', measure), width, 'rate'),
    }),
  );
  const names = { title: 'Answers', what: 'requests per second, by how they ended, all clients' };
  return plot(names, width, lines.filter(hasValue));
}

function latencies(run: RunData, width: number): PlotSpec {
  const { series } = run;
  const lines = series.scopes('clients:', 'latencyP99Ms').flatMap((scope): PlotLine[] => {
    const group = scope.slice('clients:'.length);
    const of = (measure: string): Values =>
      binned(run, series.get(scope, measure), width, measure.includes('P99') ? 'max' : 'mean');
    return [
      { label: `${group}, p50`, tone: 'active', values: of('latencyP50Ms') },
      { label: `${group}, p99`, tone: 'held', values: of('latencyP99Ms') },
    ];
  });
  const toned = lines.map((line, i) => ({ ...line, tone: TONES[i % TONES.length] ?? 'idle' }));
  const names = {
    title: 'Time to answer',
    what: 'ms from the intended start, by the second of the answer',
  };
  return plot(names, width, toned, { scale: 'log' });
}

const CLOUD_WATCH: readonly (readonly [metric: string, title: string, what: string])[] = [
  ['Requests', 'CloudFront Requests', 'answers given per second, by distribution'],
  ['CPUUtilization', 'RDS CPUUtilization', 'percent'],
  ['DatabaseConnections', 'RDS DatabaseConnections', 'connections open'],
  ['DBLoad', 'RDS DBLoad', 'sessions at work or waiting'],
];

function cloudWatch({ info, series }: RunData, width: number): PlotSpec[] {
  const charts = chartsOf(info, series.rows(), { secondsPerPoint: width });
  return CLOUD_WATCH.map(([metric, title, what]) => {
    const lines = charts
      .filter((chart) => chart.metric === metric)
      .map((chart, i): PlotLine => {
        const tone = TONES[i % TONES.length] ?? 'idle';
        return { label: chart.of, tone, values: perSecond(chart, width) };
      });
    return plot({ title, what }, width, lines);
  });
}

function perSecond({ statistic, values }: Chart, width: number): Values {
  return statistic === 'Sum' ? values.map((value) => times(value, 1 / width)) : values;
}

function hosts(run: RunData, width: number): PlotSpec | null {
  const scopes = run.series.scopes('host:', 'requests');
  if (scopes.length < 2) return null;
  const lines = scopes.map((scope): PlotLine => {
    const values = binned(run, run.series.get(scope, 'requests'), width, 'rate');
    return { label: `${scopes.length} hosts`, tone: 'active', values, isOneOfMany: true };
  });
  return plot({ title: 'Requests per host', what: 'requests per second' }, width, lines);
}

function attempts(run: RunData, width: number): PlotSpec {
  const sum = (measure: string): Values =>
    binned(run, run.series.sum('clients:', measure), width, 'sum');
  const values = ratio(sum('attempts'), sum('ok'));
  const what = `attempts / successes, all clients, in windows of ${count(width)} s`;
  const lines: PlotLine[] = [{ label: 'all clients', tone: 'held', values }];
  return plot({ title: 'Attempts per success', what }, width, lines);
}

function plot(
  names: Named,
  width: number,
  lines: readonly PlotLine[],
  more: Partial<Pick<PlotSpec, 'scale' | 'bound'>> = {},
): PlotSpec {
  const scale = more.scale === 'log' && spread(lines) < LOG_FROM ? 'linear' : more.scale;
  return {
    ...names,
    lines,
    scale: scale ?? 'linear',
    bound: more.bound ?? null,
    secondsPerPoint: width,
  };
}

function spread(lines: readonly PlotLine[]): number {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { values } of lines) {
    for (const value of values) {
      if (value === null || value <= 0) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return high === 0 ? 1 : high / low;
}

/** Points of `width` seconds; one in which nothing is known is null. */
function binned(
  { series: { step, length } }: Pick<RunData, 'series'>,
  values: Values | null,
  width: number,
  how: 'sum' | 'mean' | 'rate' | 'max',
): Values {
  const size = Math.max(1, Math.round(width / step));
  return Array.from({ length: Math.floor(length / size) }, (_, point) => {
    const part = values?.slice(point * size, (point + 1) * size) ?? [];
    const known = part.filter((value) => value !== null);
    if (known.length === 0) return null;
    if (how === 'max') return Math.max(...known);
    const sum = known.reduce((total, value) => total + value, 0);
    return how === 'sum' ? sum : sum / (how === 'mean' ? known.length : known.length * step);
  });
}

function ratio(above: Values, below: Values): Values {
  return above.map((value, i) => {
    const under = below[i] ?? null;
    return value === null || under === null || under === 0 ? null : value / under;
  });
}

function times(value: number | null, factor: number | null): number | null {
  return value === null || factor === null ? null : value * factor;
}
