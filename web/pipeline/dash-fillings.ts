/**
 * Dashed strands as a filling: thousands of dashes cost no more than one shape. Stroked one by
 * one they were most of what a picture of 20,000 waiting connections cost.
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
  readonly #patterns = new Map<State, CanvasPattern>();

  constructor(
    context: CanvasRenderingContext2D,
    palette: Palette,
    direction: 'horizontal' | 'vertical',
  ) {
    this.#horizontal = direction === 'horizontal';
    for (const state of DASHED) {
      const pattern = context.createPattern(this.#tile(palette, state), 'repeat');
      if (pattern !== null) this.#patterns.set(state, pattern);
    }
  }

  /** Null for what has no dashes. `across`: where the first strand begins. */
  filling(state: State, across: number): CanvasPattern | null {
    const pattern = this.#patterns.get(state) ?? null;
    const [x, y] = this.#horizontal ? [0, across] : [across, 0];
    pattern?.setTransform(new DOMMatrix().translate(x, y).scale(1 / SCALE));
    return pattern;
  }

  #tile(palette: Palette, state: State): HTMLCanvasElement {
    const [dash = 1, gap = 1] = DASHES[state];
    const tile = document.createElement('canvas');
    const [along, across] = [(dash + gap) * SCALE, STRAND * SCALE];
    [tile.width, tile.height] = this.#horizontal ? [along, across] : [across, along];
    const context = tile.getContext('2d');
    if (context === null) return tile;
    context.fillStyle = palette[STATES[state]];
    const [length, thick] = [dash * SCALE, across * FILLED];
    const edge = (across - thick) / 2;
    if (this.#horizontal) context.fillRect(0, edge, length, thick);
    else context.fillRect(edge, 0, thick, length);
    return tile;
  }
}
