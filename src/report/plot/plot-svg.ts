/**
 * Draws a plot with Observable Plot, without a browser, as an SVG that fits into a page with a
 * strict policy: no style sheet and no style attribute of its own, colours by custom properties.
 *
 * Plot gets numbers and texts of ours; names from a recording stand in the page, not in here.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { clock, count } from '../numbers.ts';
import type { Flag } from '../story/moments.ts';
import { Markup } from '../svg/element.ts';
import { dashOf, type PlotLine, type PlotSpec } from './plot-spec.ts';

export interface PlotFrame {
  readonly width: number;
  readonly height: number;
  /** Length of the load. */
  readonly seconds: number;
  readonly flags: readonly Flag[];
}

const LABEL = 'plot over the time of the load';
const MARGINS = { marginLeft: 46, marginRight: 14, marginTop: 26, marginBottom: 26 };
/** Flags closer than this would lie on each other: the later one has only its line. */
const FLAG_PIXELS = 15;

interface Point {
  readonly x: number;
  readonly y: number;
}

export function plotSvg(spec: PlotSpec, frame: PlotFrame): Markup {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({
    document,
    width: frame.width,
    height: frame.height,
    ...MARGINS,
    x: { domain: [0, frame.seconds], label: null, ticks: ticksOf(frame), tickFormat: clock },
    y: { ...yScale(spec), label: null, grid: true, tickSize: 0 },
    marks: [
      Plot.axisX({ ticks: ticksOf(frame), tickFormat: clock, label: null, tickSize: 3 }),
      ...flagMarks(frame),
      ...boundMarks(spec, frame),
      ...spec.lines.flatMap((line, i) => lineMarks(spec, line, i)),
    ],
  });
  drawn.setAttribute('role', 'img');
  const svg = withoutStyle(drawn.outerHTML);
  // Groups may have no names: the figure's own says it all.
  return new Markup(
    svg.replace(/ aria-label="[^"]*"/g, '').replace('<svg', `<svg aria-label="${LABEL}"`),
  );
}

function yScale({ scale, lines, bound }: PlotSpec): Plot.ScaleOptions {
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const high = Math.max(bound?.value ?? 0, ...values, 0);
  if (scale === 'linear')
    return { domain: [0, high === 0 ? 1 : high], nice: true, ticks: 5, tickFormat: count };
  const low = Math.min(...values.filter((value) => value > 0));
  return {
    type: 'log',
    domain: [low, high],
    nice: true,
    ticks: powers(low, high),
    tickFormat: count,
  };
}

/** Powers of ten around two values, and what lies between them where they are few. */
function powers(low: number, high: number): number[] {
  const found: number[] = [];
  for (let one = 10 ** Math.floor(Math.log10(low)); one <= high * 10; one *= 10) found.push(one);
  return found;
}

const STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600,
];

/** Round times, about one in a hundred pixels. */
function ticksOf({ width, seconds }: PlotFrame): number[] {
  const most = Math.max(2, Math.floor(width / 90));
  const step = STEPS.find((one) => seconds / one <= most) ?? seconds / most;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
}

function flagMarks({ flags, width, seconds }: PlotFrame): Plot.Markish[] {
  const pixels = (width - MARGINS.marginLeft - MARGINS.marginRight) / Math.max(seconds, 1);
  const shown: Flag[] = [];
  for (const flag of flags) {
    const last = shown.at(-1);
    if (last === undefined || (flag.second - last.second) * pixels >= FLAG_PIXELS) shown.push(flag);
  }
  const top = { frameAnchor: 'top', dy: -12 } as const;
  return [
    Plot.ruleX(flags, {
      x: 'second',
      stroke: 'var(--muted)',
      strokeDasharray: '2 3',
      strokeOpacity: 0.8,
    }),
    Plot.dot(shown, { x: 'second', r: 7.5, fill: 'var(--muted)', ...top }),
    Plot.text(shown, {
      x: 'second',
      text: (flag: Flag) => String(flag.number),
      fill: 'var(--paper)',
      fontWeight: 'bold',
      lineAnchor: 'middle',
      ...top,
    }),
  ];
}

function boundMarks({ bound }: PlotSpec, { seconds }: PlotFrame): Plot.Markish[] {
  if (bound === null) return [];
  return [
    Plot.ruleY([bound.value], { stroke: 'var(--ink)', strokeDasharray: '6 3' }),
    Plot.text([bound], {
      x: seconds,
      y: 'value',
      text: 'label',
      textAnchor: 'end',
      dy: -7,
      fill: 'var(--ink)',
      stroke: 'var(--paper)',
      strokeWidth: 3,
    }),
  ];
}

function lineMarks(spec: PlotSpec, line: PlotLine, index: number): Plot.Markish[] {
  const { secondsPerPoint, scale } = spec;
  const isMany = line.isOneOfMany === true;
  const points = line.values.map((value, i) => ({
    // A point is a whole window: it stands in the middle of it.
    x: (i + 0.5) * secondsPerPoint,
    y: value === null || (scale === 'log' && value <= 0) ? Number.NaN : value,
  }));
  const style = {
    stroke: `var(--${line.tone})`,
    strokeWidth: isMany ? 0.9 : 1.8,
    strokeOpacity: isMany ? 0.45 : 1,
    strokeDasharray: dashOf(line, index),
  };
  return [
    Plot.lineY(points, { x: 'x', y: 'y', ...style }),
    // A line needs two points in a row; one alone would not be seen.
    Plot.dot(alone(points), { x: 'x', y: 'y', r: 1.8, fill: `var(--${line.tone})` }),
  ];
}

function alone(points: readonly Point[]): Point[] {
  const isKnown = (i: number): boolean => !Number.isNaN(points[i]?.y ?? Number.NaN);
  return points.filter((_, i) => isKnown(i) && !isKnown(i - 1) && !isKnown(i + 1));
}

/** Plot's own sheet says how a lone SVG lies in a page; here the page's does. */
function withoutStyle(svg: string): string {
  return svg.replace(/<style>[^<]*<\/style>/g, '').replace(/ style="[^"]*"/g, '');
}
