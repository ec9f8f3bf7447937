/** The part of the time axis that all charts show. */
import type uPlot from 'uplot';

export class Zoom {
  /** Seconds; null = everything. */
  range: readonly [number, number] | null = null;
  readonly #plots = new Set<uPlot>();

  join(plot: uPlot): void {
    this.#plots.add(plot);
    this.apply(plot);
  }

  leave(plot: uPlot): void {
    this.#plots.delete(plot);
  }

  apply(plot: uPlot | null): void {
    if (this.range === null) return;
    const [min, max] = this.range;
    plot?.setScale('x', { min, max });
  }

  /** A stretch was marked with the pointer. */
  selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    this.range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    for (const one of this.#plots) this.apply(one);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  reset(): void {
    this.range = null;
    for (const plot of this.#plots) plot.setData(plot.data, true);
  }
}
