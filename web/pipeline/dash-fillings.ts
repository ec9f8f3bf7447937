/**
 * Dashes as a filling, of strands and of single lines: thousands of dashes cost no more than one
 * shape. Stroked one by one they were most of what a picture of 20,000 waiting connections cost.
 */
import { STATES, State } from '../data/snapshot.ts';
import type { Palette } from './palette.ts';
import { DASHES, STRAND } from './strokes.ts';

const DASHED: readonly State[] = [State.waiting, State.held];
/** Part of a strand's room that its dashes fill. */
const FILLED = 0.64;
/** Pixels of a tile for one of the canvas: all lengths become whole ones. */
const SCALE = 2;

export class DashFillings {
  readonly #horizontal: boolean;
  readonly #strands = new Map<State, CanvasPattern>();
  readonly #lines = new Map<State, CanvasPattern>();

  constructor(
    context: CanvasRenderingContext2D,
    palette: Palette,
    direction: 'horizontal' | 'vertical',
  ) {
    this.#horizontal = direction === 'horizontal';
    for (const state of DASHED) {
      for (const [patterns, filled] of [
        [this.#strands, FILLED],
        [this.#lines, 1],
      ] as const) {
        const pattern = context.createPattern(this.#tile(palette, state, filled), 'repeat');
        pattern?.setTransform(new DOMMatrix().scale(1 / SCALE));
        if (pattern !== null) patterns.set(state, pattern);
      }
    }
  }

  /** What to stroke a line with; null for what has no dashes. */
  line(state: State): CanvasPattern | null {
    return this.#lines.get(state) ?? null;
  }

  /** Null for what has no dashes. `across`: where the first strand begins. */
  filling(state: State, across: number): CanvasPattern | null {
    const pattern = this.#strands.get(state) ?? null;
    const [x, y] = this.#horizontal ? [0, across] : [across, 0];
    pattern?.setTransform(new DOMMatrix().translate(x, y).scale(1 / SCALE));
    return pattern;
  }

  #tile(palette: Palette, state: State, filled: number): HTMLCanvasElement {
    const [dash = 1, gap = 1] = DASHES[state];
    const tile = document.createElement('canvas');
    const [along, across] = [(dash + gap) * SCALE, STRAND * SCALE];
    [tile.width, tile.height] = this.#horizontal ? [along, across] : [across, along];
    const context = tile.getContext('2d');
    if (context === null) return tile;
    context.fillStyle = palette[STATES[state]];
    const [length, thick] = [dash * SCALE, across * filled];
    const edge = (across - thick) / 2;
    if (this.#horizontal) context.fillRect(0, edge, length, thick);
    else context.fillRect(edge, 0, thick, length);
    return tile;
  }
}
