/** One chart: uPlot, with the time axis and the cursor that all charts share. */
import { useSignalEffect } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { download, fileName } from '../download.ts';
import { clock, short } from '../format.ts';
import type { Shown } from '../model.ts';
import { readPalette } from '../pipeline/palette.ts';
import { type Chart, csvOf } from './chart.ts';
import { addTime, drawHeat, drawMarks, drawMeant, placeTime } from './draw.ts';
import type { Heat } from './heat.ts';
import type { Zoom } from './zoom.ts';

/** Safe for colour-blind people (Okabe and Ito), and told apart by dashes too. */
const COLOURS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--c7', '--c8'];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
const HEIGHT = 168;
/** A heat map needs room for its rows. */
const HEAT_HEIGHT = 260;

export interface ChartViewProps {
  readonly shown: Shown;
  readonly chart: Chart;
  readonly logarithmic: boolean;
  readonly heat: Heat | null;
  readonly zoom: Zoom;
}

export function ChartView(props: ChartViewProps) {
  const { shown, chart, logarithmic, heat, zoom } = props;
  const { data } = chart;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = `${chart.id} ${chart.lines.join()} ${logarithmic} ${heat === null}`;
  const near = useNear(place);
  useEffect(() => {
    if (place.current === null || !near) return undefined;
    const made = makePlot(place.current, () => latest.current);
    plot.current = made;
    zoom.join(made);
    const sizes = new ResizeObserver(([entry]) => {
      if (entry !== undefined)
        made.setSize({ width: entry.contentRect.width, height: made.height });
    });
    sizes.observe(place.current);
    return () => {
      sizes.disconnect();
      zoom.leave(made);
      made.destroy();
    };
  }, [shape, near]);
  useEffect(() => {
    plot.current?.setData(data, zoom.range === null);
    zoom.apply(plot.current);
  }, [data, zoom]);
  useSignalEffect(() => {
    shown.highlight.value;
    plot.current?.redraw(false, false);
  });
  // Whoever does not point at a chart reads it at the time that is looked at.
  useSignalEffect(() => {
    shown.seen.value;
    readAt(plot.current, shown.player.now.peek());
  });
  // A line of its own: every picture that passes must not draw all charts anew.
  useSignalEffect(() => placeTime(plot.current, shown.player.now.value));
  const name = fileName(shown.face.value.name, chart.id);
  return (
    <figure class={heat === null ? 'chart' : 'chart wide'}>
      <figcaption>
        <span>
          {chart.title}
          {chart.unit !== '' && <small> {chart.unit}</small>}
        </span>
        <span class="exports">
          <button
            type="button"
            aria-label={`${chart.title} as CSV`}
            onClick={() => download(`${name}.csv`, new Blob([csvOf(chart)]))}
          >
            CSV
          </button>
          <button
            type="button"
            aria-label={`${chart.title} as PNG`}
            onClick={() => plot.current !== null && savePng(plot.current, chart.title, name)}
          >
            PNG
          </button>
        </span>
      </figcaption>
      <div ref={place} class="plot" />
    </figure>
  );
}

/** Whether something has come near to what is seen: until then it need not be drawn. */
function useNear(place: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (place.current === null || near) return undefined;
    const watch = new IntersectionObserver(
      (entries) => setNear(entries.some(({ isIntersecting }) => isIntersecting)),
      { rootMargin: '300px' },
    );
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [place, near]);
  return near;
}

function makePlot(place: HTMLElement, latest: () => ChartViewProps): uPlot {
  const { chart, logarithmic, heat } = latest();
  const style = getComputedStyle(place);
  const colour = (at: number): string =>
    style.getPropertyValue(COLOURS[at % COLOURS.length] ?? '--c1').trim();
  const axis = { stroke: () => readPalette(place).muted, font: '11px system-ui, sans-serif' };
  const grid = { stroke: () => readPalette(place).line, width: 1 };
  const isHeat = heat !== null;
  return new uPlot(
    {
      width: place.clientWidth || 320,
      height: isHeat ? HEAT_HEIGHT : HEIGHT,
      legend: { live: true, markers: { width: 3 } },
      cursor: { sync: { key: 'time' }, drag: { x: true, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false },
        y: {
          distr: logarithmic || isHeat ? 3 : 1,
          range: (_plot, least, most) => rangeOf(least, most, logarithmic || isHeat),
        },
      },
      axes: [
        {
          ...axis,
          grid,
          ticks: grid,
          size: 26,
          values: (_, all) => all.map((s) => clock(s * 1e6).replace(/\.0$/, '')),
        },
        {
          ...axis,
          grid: { ...grid, show: !isHeat },
          ticks: grid,
          size: 46,
          values: (_, all) => all.map((v) => (v === null ? '' : short(v))),
        },
      ],
      series: [
        { label: 'at', value: (_, v) => (v === null ? '–' : clock(v * 1e6)) },
        ...chart.lines.map((label, at) => ({
          label,
          stroke: colour(at),
          width: isHeat ? 1.5 : 1.75,
          dash: DASHES[at % DASHES.length] ?? [],
          spanGaps: false,
          points: { show: false, size: 4, filter: alone },
          value: (_: uPlot, v: number | null) => (v === null ? '–' : short(v)),
        })),
      ],
      hooks: hooksOf(latest),
    },
    chart.data,
    place,
  );
}

function hooksOf(latest: () => ChartViewProps): uPlot.Hooks.Arrays {
  const { shown } = latest();
  // After uPlot has emptied the legend, because nothing points at the chart.
  const readLater = (plot: uPlot): void =>
    queueMicrotask(() => readAt(plot, shown.player.now.peek()));
  return {
    drawAxes: [
      (plot) => drawMeant(plot, shown),
      (plot) => {
        const now = latest().heat;
        if (now !== null) drawHeat(plot, now);
      },
    ],
    draw: [
      (plot) => drawMarks(plot, shown),
      (plot) => placeTime(plot, shown.player.now.peek()),
      readLater,
    ],
    setCursor: [readLater],
    setSelect: [(plot) => latest().zoom.selected(plot)],
    ready: [(plot) => addTime(plot), (plot) => listen(plot, latest)],
  };
}

const aloneIn = new WeakMap<ArrayLike<unknown>, number[]>();

/** Indexes of values between unknown ones: no line leads to them. Asked for at every drawing. */
function alone({ data }: uPlot, line: number): number[] {
  const values = data[line] ?? [];
  let found = aloneIn.get(values);
  if (found === undefined) {
    found = [];
    const isKnown = (at: number): boolean => (values[at] ?? null) !== null;
    for (let at = 0; at < values.length; at++) {
      if (isKnown(at) && !isKnown(at - 1) && !isKnown(at + 1)) found.push(at);
    }
    aloneIn.set(values, found);
  }
  return found;
}

function rangeOf(least: number, most: number, logarithmic: boolean): [number, number] {
  if (logarithmic) return [Math.max(least * 0.8, 0.01) || 0.1, Math.max(most * 1.2, 1)];
  return [Math.min(0, least || 0), most > 0 ? most * 1.08 : 1];
}

function readAt(plot: uPlot | null, micros: number): void {
  if (plot === null || (plot.cursor.left ?? -1) >= 0) return;
  plot.setLegend({ idx: plot.posToIdx(plot.valToPos(micros / 1e6, 'x')) });
}

/** A click goes to that time, a double click shows everything again. */
function listen(plot: uPlot, latest: () => ChartViewProps): void {
  let from = 0;
  plot.over.addEventListener('mousedown', (event) => {
    from = event.clientX;
  });
  plot.over.addEventListener('click', (event) => {
    if (Math.abs(event.clientX - from) > 3) return;
    const { left } = plot.over.getBoundingClientRect();
    latest().shown.player.seek(plot.posToVal(event.clientX - left, 'x') * 1e6);
  });
  plot.over.addEventListener('dblclick', () => latest().zoom.reset());
}

function savePng(plot: uPlot, title: string, name: string): void {
  const { canvas } = plot.ctx;
  const head = 28 * devicePixelRatio;
  const sheet = document.createElement('canvas');
  sheet.width = canvas.width;
  sheet.height = canvas.height + head;
  const context = sheet.getContext('2d');
  if (context === null) return;
  const palette = readPalette(plot.root);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = palette.text;
  context.font = `600 ${13 * devicePixelRatio}px system-ui, sans-serif`;
  context.fillText(title, 12 * devicePixelRatio, 19 * devicePixelRatio);
  context.drawImage(canvas, 0, head);
  sheet.toBlob((blob) => {
    if (blob !== null) download(`${name}.png`, blob);
  });
}
