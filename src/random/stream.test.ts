import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialState, randomStream, WARM_UP } from './stream.ts';

const names = fc.string({ maxLength: 20 });

function take(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw);
}

/** Made by this code once; a change here changes every run of every seed. */
const GOLDEN = {
  first: [1_345_372_303, 3_089_608_590, 2_373_744_365, 2_017_735_338],
  arrivals: 3_264_405_781,
  unicode: 3_748_533_732,
  unit: 0.3132439011287358,
};

/** Chi-square statistic over its degrees of freedom, as a z by Wilson and Hilferty. */
function chiSquareZ(counts: readonly number[], expected: number): number {
  const degrees = counts.length - 1;
  const sum = counts.reduce((all, count) => all + (count - expected) ** 2 / expected, 0);
  const part = 2 / (9 * degrees);
  return (Math.cbrt(sum / degrees) - (1 - part)) / Math.sqrt(part);
}

/** FNV-1a over 32-bit words: one number to compare a stretch of a stream by. */
function hashOf(words: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

/** sfc32 by its definition (PractRand, sfc.cpp), in integers that cannot overflow. */
function plainSfc32(state: [bigint, bigint, bigint, bigint]): () => number {
  const cut = (value: bigint): bigint => value & 0xffffffffn;
  let [a, b, c, counter] = state;
  return () => {
    const sum = cut(a + b + counter);
    counter = cut(counter + 1n);
    a = b ^ (b >> 9n);
    b = cut(c + (c << 3n));
    c = cut(cut((c << 21n) | (c >> 11n)) + sum);
    return Number(sum);
  };
}

describe('a stream', () => {
  it('is the same for ever: golden values', () => {
    expect({
      first: take(4, draws(1, 'arrivals')),
      arrivals: hashOf(take(100_000, draws(1, 'arrivals'))),
      unicode: hashOf(take(100_000, draws(2 ** 40 + 7, 'pool/ü/€'))),
      unit: randomStream(1, 'arrivals').unit(),
    }).toEqual(GOLDEN);
  });

  it('is sfc32: agrees with its definition in exact integers', () => {
    const [a, b, c, counter] = initialState(9, 'x').map((word) => BigInt(word >>> 0));
    if (a === undefined || b === undefined || c === undefined || counter === undefined) {
      throw new Error('the state has four words');
    }
    const reference = plainSfc32([a, b, c, counter]);
    take(WARM_UP, reference);
    expect(take(10_000, draws(9, 'x'))).toEqual(take(10_000, reference));
  });

  it('depends on seed and name, and on nothing else', () => {
    fc.assert(
      fc.property(fc.nat(), names, fc.nat(50), (seed, name, before) => {
        const one = randomStream(seed, name);
        const other = randomStream(seed, name);
        take(before, () => one.uint32());
        take(before, () => other.uint32());
        expect(one.uint32()).toBe(other.uint32());
      }),
    );
  });

  it('differs between 200,000 seeds and names that differ in one character', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 100_000; i++) {
      for (const stream of [randomStream(i, 'pool'), randomStream(1, `pool/${i}`)]) {
        seen.add(`${stream.uint32()} ${stream.uint32()}`);
      }
    }
    expect(seen.size).toBe(200_000);
  });

  it('is even over neighbouring seeds and names, bit by bit and byte by byte', () => {
    const makers = [
      (i: number) => randomStream(i, 'x'),
      (i: number) => randomStream(7, `x${i}`),
      (i: number) => randomStream(7, `${i}/x`),
    ];
    for (const make of makers) {
      for (const shift of [0, 8, 16, 24]) {
        const counts = new Array<number>(256).fill(0);
        for (let i = 0; i < 51_200; i++) {
          const byte = (make(i).uint32() >>> shift) & 255;
          counts[byte] = (counts[byte] ?? 0) + 1;
        }
        expect(Math.abs(chiSquareZ(counts, 200))).toBeLessThan(4.5);
      }
    }
  });
});

describe('below', () => {
  it('stays below its bound and reaches every value evenly', () => {
    const stream = randomStream(3, 'below');
    for (const bound of [1, 2, 3, 7, 10, 100]) {
      const counts = new Array<number>(bound).fill(0);
      for (let i = 0; i < bound * 2_000; i++) {
        const value = stream.below(bound);
        counts[value] = (counts[value] ?? 0) + 1;
      }
      expect(counts).toHaveLength(bound);
      if (bound > 1) expect(Math.abs(chiSquareZ(counts, 2_000))).toBeLessThan(4.5);
    }
  });

  it('has no bias where a remainder would: three quarters of the range', () => {
    // With a plain remainder the lower third of 0 .. 3 x 2^30 - 1 would come twice as often.
    const stream = randomStream(4, 'below');
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (stream.below(bound) < 2 ** 30) low += 1;
    expect(Math.abs(low - 10_000)).toBeLessThan(5 * Math.sqrt(10_000 * (2 / 3)));
  });

  it('takes the whole range, and refuses what is no bound', () => {
    expect(randomStream(1, 'a').below(2 ** 32)).toBe(randomStream(1, 'a').uint32());
    for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN, Infinity]) {
      expect(() => randomStream(1, 'a').below(bound)).toThrow(RangeError);
    }
  });
});

describe('unit', () => {
  it('is in [0, 1), even, and uses its low bits too', () => {
    const stream = randomStream(5, 'unit');
    const counts = new Array<number>(100).fill(0);
    const lowBits = new Array<number>(16).fill(0);
    for (let i = 0; i < 32_000; i++) {
      const value = stream.unit();
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      const part = Math.floor(value * 100);
      counts[part] = (counts[part] ?? 0) + 1;
      const low = (value * 2 ** 53) % 16;
      lowBits[low] = (lowBits[low] ?? 0) + 1;
    }
    expect(Math.abs(chiSquareZ(counts, 320))).toBeLessThan(4.5);
    expect(Math.abs(chiSquareZ(lowBits, 2_000))).toBeLessThan(4.5);
  });
});

function draws(seed: number, name: string): () => number {
  const stream = randomStream(seed, name);
  return () => stream.uint32();
}
