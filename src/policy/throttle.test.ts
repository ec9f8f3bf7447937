import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ThrottleSettings } from '../model/topology.ts';
import { Throttle } from './throttle.ts';

const SECOND = 1_000_000;

function throttleOf(settings: ThrottleSettings) {
  const accepted: number[] = [];
  let last: number | null = null;
  const throttle = new Throttle(settings, {
    accept: (request) => {
      accepted.push(request);
      last = 0;
    },
    reject: (_request, retryAfterSeconds) => {
      last = retryAfterSeconds;
    },
  });
  /** 0 = accepted, else Retry-After. */
  const admit = (now: number): number => {
    last = null;
    throttle.admit(now, now);
    if (last === null) throw new Error('no answer');
    return last;
  };
  return { throttle, accepted, admit };
}

const rates = fc.oneof(
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: 2_000_000 }).map((millionths) => millionths / 1_000_000),
);
const gaps = fc.array(fc.oneof(fc.nat(100), fc.nat(50_000), fc.nat(5 * SECOND)), {
  minLength: 1,
  maxLength: 200,
});

describe('a throttle', () => {
  it('accepts at most burst + rate x window in every window', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 50 }), gaps, (ratePerSecond, burst, waits) => {
        const { accepted, admit } = throttleOf({ ratePerSecond, burst });
        let now = 0;
        for (const wait of waits) {
          now += wait;
          admit(now);
        }
        for (let from = 0; from < accepted.length; from++) {
          for (let to = from; to < accepted.length; to++) {
            const window = (accepted[to] ?? 0) - (accepted[from] ?? 0);
            const most = burst + (Math.round(ratePerSecond * 1e6) * window) / 1e12;
            expect(to - from + 1).toBeLessThanOrEqual(most + 1e-9);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('has exactly the tokens that integers of any size say, after any script', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 10_000 }),
        gaps,
        (ratePerSecond, burst, waits) => {
          const { throttle, admit } = throttleOf({ ratePerSecond, burst });
          const full = BigInt(burst) * 10n ** 12n;
          const rate = BigInt(Math.round(ratePerSecond * 1e6));
          const counts = { accepted: 0, rejected: 0 };
          let tokens = full;
          let now = 0;
          for (const wait of waits) {
            now += wait;
            tokens += BigInt(wait) * rate;
            if (tokens > full) tokens = full;
            const expected = tokens >= 10n ** 12n;
            expect(admit(now) === 0).toBe(expected);
            if (expected) tokens -= 10n ** 12n;
            counts[expected ? 'accepted' : 'rejected'] += 1;
            expect(throttle.snapshot()).toMatchObject(counts);
            expect(throttle.snapshot().tokens).toBe(Number(tokens / 1_000n) / 1e9);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not drift in a day at an odd rate', () => {
    const { accepted, admit } = throttleOf({ ratePerSecond: 0.7, burst: 2 });
    let now = 0;
    for (; now <= 86_400 * SECOND; now += 500_003) admit(now);
    const earned = 2 + (0.7 * (now - 500_003)) / SECOND;
    // Asked often enough, the bucket never runs over: all that was earned is there or spent.
    expect(accepted.length).toBe(Math.floor(earned));
  });

  it('tells when to come back, and then it is true', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 1, max: 5 }),
        fc.nat(SECOND),
        (ratePerSecond, burst, at) => {
          const { admit } = throttleOf({ ratePerSecond, burst });
          let seconds = 0;
          for (let i = 0; seconds === 0; i++) {
            expect(i).toBeLessThanOrEqual(burst);
            seconds = admit(at);
          }
          expect(Number.isInteger(seconds) && seconds >= 1).toBe(true);
          if (seconds > 1) {
            const { admit: again } = throttleOf({ ratePerSecond, burst });
            for (let i = 0; i <= burst; i++) again(at);
            expect(again(at + (seconds - 1) * SECOND - 1)).toBeGreaterThan(0);
          }
          expect(admit(at + seconds * SECOND)).toBe(0);
        },
      ),
    );
  });

  it('is none at rate 0, and shut at burst 0', () => {
    const open = throttleOf({ ratePerSecond: 0, burst: 0 });
    for (let i = 0; i < 1_000; i++) expect(open.admit(5)).toBe(0);
    const shut = throttleOf({ ratePerSecond: 10, burst: 0 });
    for (let i = 0; i < 100; i++) expect(shut.admit(i * SECOND)).toBeGreaterThan(0);
    const scaled = throttleOf({ ratePerSecond: 0.5, burst: 0.25 });
    expect([0, 1, 2 * SECOND].map(scaled.admit)).toEqual([0, 2, 0]);
  });

  it('by hand: lowered at once, and eased back without a gift of tokens', () => {
    const { throttle, admit } = throttleOf({ ratePerSecond: 10_000, burst: 5_000 });
    expect(admit(SECOND)).toBe(0);
    throttle.configure(2 * SECOND, { ratePerSecond: 50, burst: 2 });
    expect([0, 0, 0].map((wait) => admit(2 * SECOND + wait))).toEqual([0, 0, 1]);
    throttle.configure(2 * SECOND, { ratePerSecond: 200, burst: 100 });
    expect(admit(2 * SECOND)).toBe(1);
    expect(admit(2 * SECOND + 5_000)).toBe(0);
    throttle.configure(3 * SECOND, { ratePerSecond: 0, burst: 100 });
    for (let i = 0; i < 500; i++) expect(admit(3 * SECOND)).toBe(0);
  });
});
