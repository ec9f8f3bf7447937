/**
 * Exponential draws of mean 1 by a ziggurat (Marsaglia and Tsang 2000): the area under exp(-x) in
 * 256 layers of equal size, of which one is drawn. 98.9 % of the draws cost a multiplication and a
 * comparison; the rest need an exponential function at the edge of their layer. The tail beyond
 * the lowest layer is the whole distribution once more, shifted.
 *
 *   1 ┤█
 *     │██▄        x below the width of the layer above: inside, whatever the height
 *     │████▄▄
 *     └────────────── LAST
 *
 * The tables are made of our own functions, so that they are the same everywhere. Budget: no
 * allocation, two numbers of the stream, 6 ns.
 */
import { exp, ln } from './elementary.ts';
import type { RandomStream } from './stream.ts';

const LAYERS = 256;
/** Where the lowest layer ends and the tail begins, for that number of layers. */
const LAST = 7.69711747013105;
const TWO_29 = 536_870_912;
const TWO_53 = 9_007_199_254_740_992;

/** By layer, from the lowest: its width, and the height at which it begins. */
const width = new Float64Array(LAYERS + 1);
const height = new Float64Array(LAYERS + 1);
fillTables();

export function exponential(stream: RandomStream): number {
  let shifted = 0;
  for (;;) {
    const word = stream.uint32();
    const layer = word & 255;
    // 24 bits of the word that names the layer, 29 of another.
    const unit = ((word >>> 8) * TWO_29 + (stream.uint32() >>> 3)) / TWO_53;
    const x = unit * (width[layer] ?? 0);
    if (x < (width[layer + 1] ?? 0)) return shifted + x;
    if (layer === 0) shifted += LAST;
    else if (isBelowCurve(x, layer, stream.unit())) return shifted + x;
  }
}

function isBelowCurve(x: number, layer: number, unit: number): boolean {
  const from = height[layer] ?? 0;
  return from + unit * ((height[layer + 1] ?? 0) - from) < exp(-x);
}

function fillTables(): void {
  const lowest = exp(-LAST);
  /** Of each layer; the lowest one has the tail in it, so as a box it would be wider. */
  const area = (LAST + 1) * lowest;
  width[0] = area / lowest;
  width[1] = LAST;
  height[1] = lowest;
  for (let layer = 1; layer < LAYERS; layer++) {
    const top = (height[layer] ?? 0) + area / (width[layer] ?? 1);
    height[layer + 1] = top;
    width[layer + 1] = layer === LAYERS - 1 ? 0 : -ln(top);
  }
}
