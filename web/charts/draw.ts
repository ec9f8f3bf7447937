/** What lies over and under the lines of a chart: marks, the time, a heat map. */
import type uPlot from 'uplot';
import type { Shown } from '../model.ts';
import { readPalette } from '../pipeline/palette.ts';
import { edgeOf, type Heat, ROWS } from './heat.ts';

/** Seconds that a finding means, under the lines. */
export function drawMeant(plot: uPlot, shown: Shown): void {
  const meant = shown.highlight.peek();
  if (meant === null) return;
  const { ctx, bbox } = plot;
  const palette = readPalette(plot.root);
  const from = plot.valToPos(meant.from / 1e6, 'x', true);
  const to = plot.valToPos(meant.to / 1e6, 'x', true);
  ctx.save();
  clip(plot);
  ctx.globalAlpha = 0.16;
  ctx.fillStyle = palette.hoarded;
  ctx.fillRect(from, bbox.top, Math.max(to - from, 2), bbox.height);
  ctx.restore();
}

/** Marks of the run. */
export function drawMarks(plot: uPlot, shown: Shown): void {
  const { ctx } = plot;
  const palette = readPalette(plot.root);
  ctx.save();
  clip(plot);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.strokeStyle = palette.muted;
  for (const mark of shown.face.peek().marks) {
    if (mark.kind !== 'phase') upright(plot, mark.at / 1e6);
  }
  ctx.restore();
}

/** The line of the time that is looked at, which lies over the chart. */
export function addTime(plot: uPlot): void {
  const line = document.createElement('div');
  line.className = 'now';
  plot.over.append(line);
}

export function placeTime(plot: uPlot | null, micros: number): void {
  const line = plot?.over.querySelector<HTMLElement>('.now');
  if (plot === null || line === null || line === undefined) return;
  line.style.transform = `translateX(${plot.valToPos(micros / 1e6, 'x').toFixed(1)}px)`;
}

export function drawHeat(plot: uPlot, heat: Heat): void {
  const { ctx } = plot;
  ctx.save();
  clip(plot);
  ctx.fillStyle = readPalette(plot.root).active;
  for (let column = 0; column < heat.columns; column++) {
    const left = plot.valToPos(column * heat.windowSeconds, 'x', true);
    const right = plot.valToPos((column + 1) * heat.windowSeconds, 'x', true);
    for (let row = 0; row < ROWS; row++) {
      const count = heat.counts[column * ROWS + row] ?? 0;
      if (count === 0) continue;
      const top = plot.valToPos(edgeOf(row + 1) / 1e3, 'y', true);
      const bottom = plot.valToPos(edgeOf(row) / 1e3, 'y', true);
      // By orders of magnitude: five who wait must be seen beside five thousand who do not.
      ctx.globalAlpha = 0.12 + (0.88 * Math.log(count + 1)) / Math.log(heat.most + 1);
      ctx.fillRect(left, top, Math.max(right - left, 1) + 0.5, bottom - top + 0.5);
    }
  }
  ctx.restore();
}

function upright(plot: uPlot, second: number): void {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(second, 'x', true));
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
}

function clip({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}
