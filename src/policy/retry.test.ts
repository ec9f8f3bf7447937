import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RetrySettings } from '../model/topology.ts';
import { BUDGET_TOKENS_MAX, RETRY_REASONS, Retry, retryReasonCode } from './retry.ts';

const MS = 1_000;
const PLAIN: RetrySettings = {
  attemptsMax: 4,
  backoff: 100 * MS,
  backoffMax: 300 * MS,
  jitter: 0,
  budget: 1,
  on: ['timeout', '5xx'],
};
const TIMEOUT = retryReasonCode('timeout');

function retryOf(settings: RetrySettings, draw: (bound: number) => number = () => 0) {
  let answer: number | 'gave up' | null = null;
  const retry = new Retry(settings, {
    retryAt: (_request, at) => {
      answer = at;
    },
    giveUp: () => {
      answer = 'gave up';
    },
    draw,
  });
  const failed = (now: number, attempt: number, reason = TIMEOUT, notBefore = 0) => {
    answer = null;
    retry.failed(now, 1, attempt, reason, notBefore);
    return answer;
  };
  return { retry, failed };
}

describe('a retry', () => {
  it('comes after a doubling pause up to the longest, then no more', () => {
    const { failed } = retryOf({ ...PLAIN, attemptsMax: 5 });
    expect([1, 2, 3, 4, 5].map((attempt) => failed(1_000 * MS, attempt))).toEqual([
      1_100 * MS,
      1_200 * MS,
      1_300 * MS,
      1_300 * MS,
      'gave up',
    ]);
  });

  it('comes only for the reasons that are listed', () => {
    const { failed } = retryOf(PLAIN);
    const outcomes = RETRY_REASONS.map(
      (reason) => failed(0, 1, retryReasonCode(reason)) !== 'gave up',
    );
    expect(outcomes).toEqual([true, false, false, false, true]);
    expect(failed(0, 1, -1)).toBe('gave up');
  });

  it('heeds Retry-After, which never shortens the pause', () => {
    const { failed } = retryOf(PLAIN);
    expect(failed(0, 1, TIMEOUT, 3)).toBe(3_000 * MS);
    expect(failed(0, 1, TIMEOUT, 0)).toBe(100 * MS);
    const slow = retryOf({ ...PLAIN, backoff: 5_000 * MS, backoffMax: 0 });
    expect(slow.failed(0, 1, TIMEOUT, 1)).toBe(5_000 * MS);
  });

  it('draws its pause from (1 - jitter .. 1) x the full one, in whole µs', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, fc.integer({ min: 1, max: 8 }), (jitter, part, attempt) => {
        const settings = { ...PLAIN, attemptsMax: 9, jitter, backoffMax: 10_000 * MS };
        let drawn = 0;
        const { failed } = retryOf(settings, (bound) => {
          const value = Math.min(bound - 1, Math.floor(part * bound));
          drawn = value / bound;
          return value;
        });
        const full = Math.min(100 * MS * 2 ** (attempt - 1), 10_000 * MS);
        expect(failed(0, attempt)).toBe(Math.floor(full * (1 - jitter * drawn)));
        expect(drawn).toBeLessThan(1);
        if (jitter > 0 && part > 0.01) expect(drawn).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the budget', () => {
  it('lets through at most its share of first attempts and what was saved', () => {
    const script = fc.array(fc.constantFrom('first', 'failed'), { maxLength: 800 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), script, (percent, steps) => {
        const { retry, failed } = retryOf({ ...PLAIN, budget: percent / 100 });
        let first = 0;
        let retries = 0;
        for (const step of steps) {
          if (step === 'first') {
            retry.firstAttempt(0, 1);
            first += 1;
          } else if (failed(0, 1) !== 'gave up') retries += 1;
          expect(retries).toBeLessThanOrEqual(BUDGET_TOKENS_MAX + (percent / 100) * first + 1e-9);
        }
      }),
    );
  });

  it('is an exact account of millionths, also when it is changed', () => {
    const kinds = fc.constantFrom('first', 'failed', 'failed', 'configure');
    const step = fc.record({ kind: kinds, percent: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (script) => {
        const { retry, failed } = retryOf({ ...PLAIN, budget: 0 });
        let percent = 0;
        // What is saved is spent first: the limits are what matters.
        for (let i = 1; i < BUDGET_TOKENS_MAX; i++) expect(failed(0, 1)).toBe(100 * MS);
        let tokens = 1_000_000;
        for (const { kind, percent: next } of script) {
          if (kind === 'configure') {
            percent = next;
            retry.configure(0, { ...PLAIN, budget: percent / 100 });
          } else if (kind === 'first') {
            retry.firstAttempt(0, 1);
            tokens = Math.min(tokens + percent * 10_000, BUDGET_TOKENS_MAX * 1_000_000);
          } else {
            const isPaid = percent === 100 || tokens >= 1_000_000;
            expect(failed(0, 1)).toBe(isPaid ? 100 * MS : 'gave up');
            if (isPaid && percent < 100) tokens -= 1_000_000;
          }
          expect(retry.snapshot().tokens).toBe(tokens / 1_000_000);
        }
      }),
    );
  });

  it('in an outage of everything comes down to its share', () => {
    const { retry, failed } = retryOf({ ...PLAIN, budget: 0.1 });
    let retries = 0;
    for (let request = 0; request < 10_000; request++) {
      retry.firstAttempt(0, request);
      if (failed(0, 1) !== 'gave up') retries += 1;
    }
    // What the first one earns finds the bucket full; the last tenths make no whole token.
    expect(retries).toBe(1_000 + BUDGET_TOKENS_MAX - 1);
    expect(retry.snapshot()).toMatchObject({ retries, gaveUp: 10_000 - retries });
  });

  it('of 1 is none', () => {
    const { failed } = retryOf(PLAIN);
    for (let i = 0; i < 1_000; i++) expect(failed(0, 1)).toBe(100 * MS);
  });
});
