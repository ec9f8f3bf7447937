import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosTurns, exp, inverseNormal, ln, sinTurns } from './elementary.ts';

const relative = (found: number, right: number): number =>
  Math.abs(found - right) / Math.abs(right);

/** The normal distribution function by its power series, good to 1e-15 absolute for |z| < 7. */
function normal(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; k < 400; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** FNV-1a over the bits of doubles: one number that changes with any last digit. */
function hashOfBits(values: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(Float64Array.from(values).buffer)) {
    hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash >>> 0;
}

const positive = fc.double({ min: 5e-324, max: Number.MAX_VALUE, noNaN: true });

describe('ln', () => {
  it('is Math.log to 1e-14 for every positive double', () => {
    fc.assert(
      fc.property(positive, (x) => {
        const right = Math.log(x);
        if (right === 0) expect(ln(x)).toBe(0);
        else expect(relative(ln(x), right)).toBeLessThan(1e-14);
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps its digits next to 1, where the logarithm vanishes', () => {
    for (const x of [1 - 2 ** -53, 1 + 2 ** -52, 1 - 1e-9, 1 + 1e-9, 0.999, 1.001]) {
      expect(relative(ln(x), Math.log(x))).toBeLessThan(1e-14);
    }
  });

  it('ends for what has no finite logarithm', () => {
    for (const x of [0, -0, -1, -1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(ln(x)).toBe(Math.log(x));
    }
  });
});

describe('exp', () => {
  it('is Math.exp to 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => {
        expect(relative(exp(x), Math.exp(x))).toBeLessThan(1e-14);
      }),
      { numRuns: 5_000 },
    );
  });

  it('ends for what overflows, underflows or is no number', () => {
    for (const x of [710, 1e9, Infinity, -746, -1e9, -Infinity, Number.NaN, 0]) {
      expect(exp(x)).toBe(Math.exp(x));
    }
  });
});

describe('turns', () => {
  it('have the cosine and sine of Math to 1e-14', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (turns) => {
        const angle = 2 * Math.PI * turns;
        expect(Math.abs(cosTurns(turns) - Math.cos(angle))).toBeLessThan(1e-14);
        expect(Math.abs(sinTurns(turns) - Math.sin(angle))).toBeLessThan(1e-14);
      }),
      { numRuns: 5_000 },
    );
  });

  it('repeat after whole turns, exactly where a turn is a binary fraction', () => {
    for (let sixteenth = 0; sixteenth < 16; sixteenth++) {
      const turns = sixteenth / 16;
      expect(cosTurns(turns + 1_000)).toBe(cosTurns(turns));
      expect(sinTurns(turns - 1_000)).toBe(sinTurns(turns));
    }
    expect([cosTurns(0), cosTurns(0.5), sinTurns(0)]).toEqual([1, -1, 0]);
  });

  it('keep the relative precision of the sine of very small parts', () => {
    for (const turns of [1e-3, -1e-6, 1e-12, 1e-300]) {
      expect(relative(sinTurns(turns), Math.sin(2 * Math.PI * turns))).toBeLessThan(1e-15);
    }
  });
});

describe('inverseNormal', () => {
  it('is undone by the distribution function, in the middle and in both tails', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (p) => {
        const z = inverseNormal(p);
        // An error e of z shows as density(z) x e in p.
        const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
        const error = Math.abs(normal(z) - p) / density;
        expect(error).toBeLessThan(1.2e-9 * Math.max(1, Math.abs(z)) + 2e-15 / density);
      }),
      { numRuns: 2_000 },
    );
  });

  it('knows the quantiles of the tables', () => {
    const table = [
      [0.5, 0],
      [0.975, 1.959963984540054],
      [0.99, 2.3263478740408408],
      [0.999, 3.090232306167813],
      [0.01, -2.3263478740408408],
      [1e-9, -5.997807015007686],
    ] as const;
    for (const [p, z] of table) expect(inverseNormal(p)).toBeCloseTo(z, 7);
  });

  it('has no value outside 0 .. 1, and infinity at the ends', () => {
    expect([0, 1].map(inverseNormal)).toEqual([-Infinity, Infinity]);
    for (const p of [-0.1, 1.1, Number.NaN]) expect(inverseNormal(p)).toBeNaN();
  });
});

/** Made by this code once: the simulator's results depend on every bit of them. */
describe('golden values', () => {
  it('are the same to the last bit on every engine', () => {
    const units = Array.from({ length: 10_000 }, (_, i) => (i + 0.5) / 10_000);
    const found = [
      units.map((p) => ln(p * p * p)),
      units.map((p) => exp((p - 0.5) * 1_400)),
      units.map((p) => cosTurns(5 * p)),
      units.map((p) => sinTurns(5 * p)),
      units.map(inverseNormal),
    ];
    expect(found.map(hashOfBits)).toEqual([
      3_742_474_433, 3_823_134_699, 1_943_189_126, 976_857_045, 3_509_626_874,
    ]);
  });
});
