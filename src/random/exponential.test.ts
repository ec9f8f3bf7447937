/** Draws against the distribution function, layer edges and tail included. */
import { expect, it } from 'vitest';
import { exponential } from './exponential.ts';
import { randomStream } from './stream.ts';

const DRAWS = 2_000_000;
/** Two-sided, of 20 comparisons in all: one in 20,000 runs of other seeds would fail. */
const SIGMAS = 4.7;

it('is exponential of mean 1, in the layers and beyond the last', () => {
  const stream = randomStream(11, 'exponential');
  const bounds = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 7, 7.7, 8, 9];
  const below = new Float64Array(bounds.length);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const x = exponential(stream);
    sum += x;
    squares += x * x;
    for (let b = bounds.length - 1; b >= 0 && x < (bounds[b] ?? 0); b--) {
      below[b] = (below[b] ?? 0) + 1;
    }
  }
  bounds.forEach((bound, index) => {
    const share = 1 - Math.exp(-bound);
    const sigma = Math.sqrt((share * (1 - share)) / DRAWS);
    const found = (below[index] ?? 0) / DRAWS;
    expect(Math.abs(found - share) / sigma, `below ${bound}`).toBeLessThan(SIGMAS);
  });
  // Of a mean 1 exponential the variance is 1, that of the square 20.
  expect(Math.abs(sum / DRAWS - 1) * Math.sqrt(DRAWS)).toBeLessThan(SIGMAS);
  expect((Math.abs(squares / DRAWS - 2) * Math.sqrt(DRAWS)) / Math.sqrt(20)).toBeLessThan(SIGMAS);
});

it('is the same for ever: golden values', () => {
  const stream = randomStream(7, 'golden');
  const drawn = Array.from({ length: 5 }, () => Math.round(exponential(stream) * 1e9));
  expect(drawn).toEqual([164_697_009, 3_018_183_045, 227_315_558, 1_655_651_816, 443_545_128]);
});
