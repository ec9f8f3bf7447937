import { describe, expect, it } from 'vitest';
import { erlangB, erlangC, meanWait } from './erlang.ts';

describe('Erlang', () => {
  // Published tables of offered load against blocking (Cooper 1981, appendix; ITU tables).
  it.each([
    [1, 0.0101, 0.01],
    [5, 1.361, 0.01],
    [10, 4.461, 0.01],
    [20, 12.03, 0.01],
    [10, 6.216, 0.05],
    [100, 84.06, 0.01],
  ])('B: %i servers offered %f erlangs block %f', (servers, load, blocked) => {
    expect(erlangB(servers, load)).toBeCloseTo(blocked, 4);
  });

  it('C by the state probabilities of M/M/c', () => {
    const [servers, load] = [4, 2.5];
    const weights = [1];
    for (let n = 1; n < 2_000; n++) {
      weights.push(((weights[n - 1] ?? 0) * load) / Math.min(n, servers));
    }
    const sum = weights.reduce((total, one) => total + one, 0);
    const waiting = weights.slice(servers).reduce((total, one) => total + one, 0) / sum;
    expect(erlangC(servers, load)).toBeCloseTo(waiting, 12);
    const queue =
      weights.reduce((total, one, n) => total + one * Math.max(0, n - servers), 0) / sum;
    expect(meanWait(servers, 25, 0.1, 1)).toBeCloseTo(queue / 25, 12);
  });

  it('waits half as long for constant service of one server, and for ever when overloaded', () => {
    expect(meanWait(1, 70, 0.01, 0)).toBeCloseTo((0.7 * 0.01) / (2 * 0.3), 12);
    expect(meanWait(2, 250, 0.01, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(erlangC(2, 2)).toBe(1);
  });
});
