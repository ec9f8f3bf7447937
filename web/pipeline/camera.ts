/**
 * Zoom across the flow only: it opens bundles of pipes, while the whole chain stays in view.
 * A position across is `v` in the layout and `at(v)` on the screen.
 */
export class Camera {
  zoom = 1;
  /** Layout position at the near edge. */
  from = 0;
  #v0 = 0;
  #v1 = 1;
  zoomMax = 12;

  /** The layout has changed. */
  fit(v0: number, v1: number): void {
    this.#v0 = v0;
    this.#v1 = v1;
    this.#clamp();
  }

  at(v: number): number {
    return this.#v0 + (v - this.from - this.#v0) * this.zoom;
  }

  /** Zooms so that what is at screen position `v` stays there. */
  zoomAt(v: number, factor: number): void {
    const inLayout = (v - this.#v0) / this.zoom + this.from;
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), this.zoomMax);
    this.from = inLayout - (v - this.#v0) / this.zoom;
    this.#clamp();
  }

  move(by: number): void {
    this.from -= by / this.zoom;
    this.#clamp();
  }

  reset(): void {
    this.zoom = 1;
    this.from = 0;
  }

  #clamp(): void {
    const length = this.#v1 - this.#v0;
    const most = length - length / this.zoom;
    this.from = Math.min(Math.max(this.from, 0), most);
  }
}
