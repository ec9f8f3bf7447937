/** Users at one server, and in groups: against the product form, and small cases by hand. */
import { describe, expect, it } from 'vitest';
import { classTimes, combinationsOf } from './closed-classes.ts';
import { closedThroughput } from './closed-network.ts';
import { finiteSource, gammaTransform } from './finite-source.ts';

const exponential = (mean: number) => (s: number) => 1 / (1 + s * mean);

describe('M/G/1//N', () => {
  it.each([1, 3, 40])('%i users of exponential service: the machine repairman', (users) => {
    const sources = { users, think: 0.5, service: 0.04, transform: exponential(0.04) };
    const station = { demand: 0.04, servers: 1 };
    expect(finiteSource(sources).rate).toBeCloseTo(closedThroughput(users, 0.5, [station]), 9);
  });

  it('two users of constant service, by hand', () => {
    // The second asks within the service of the first with chance 1 - 1 / e, then again, ..
    const transform = gammaTransform(1, 0);
    const { rate, waits } = finiteSource({ users: 2, think: 1, service: 1, transform });
    expect(rate).toBeCloseTo(Math.E / (0.5 + Math.E), 12);
    expect(waits).toBeCloseTo(1 - 1 / Math.E, 12);
  });

  it('thousands keep the server busy', () => {
    const transform = gammaTransform(0.01, 0);
    const { rate, waits } = finiteSource({ users: 5_000, think: 1, service: 0.01, transform });
    expect(rate).toBeCloseTo(100, 9);
    expect(waits).toBeCloseTo(1, 9);
  });

  it('gamma times of variation 1 are exponential, of little variation constant', () => {
    expect(gammaTransform(2, 1)(0.7)).toBeCloseTo(exponential(2)(0.7), 12);
    expect(gammaTransform(2, 1e-7)(0.7)).toBeCloseTo(Math.exp(-1.4), 6);
  });
});

describe('groups of users', () => {
  const stations = [
    { demand: 0.02, open: 0 },
    { demand: 0.05, open: 0 },
  ];
  const closed = stations.map(({ demand }) => ({ demand, servers: 1 }));

  it('two alike are one: the convolution', () => {
    const group = { users: 4, think: 0.3 };
    const { groups } = classTimes([group, group], stations);
    const rate = closedThroughput(8, 0.3, closed);
    expect(groups[0]).toBeCloseTo(8 / rate - 0.3, 9);
    expect(groups[1]).toBeCloseTo(8 / rate - 0.3, 9);
    expect(combinationsOf([group, group])).toBe(25);
  });

  it('nobody closed: M/M/1; beside open arrivals a server is slower by what they take', () => {
    expect(classTimes([], [{ demand: 0.01, open: 0.7 }]).open).toBeCloseTo(0.01 / 0.3, 12);
    const { groups, open } = classTimes([{ users: 6, think: 0.3 }], [{ demand: 0.01, open: 0.5 }]);
    const rate = closedThroughput(6, 0.3, [{ demand: 0.02, servers: 1 }]);
    expect(groups[0]).toBeCloseTo(6 / rate - 0.3, 9);
    // Who comes from outside sees all six: one more than each of them sees.
    const seen = closedThroughput(7, 0.3, [{ demand: 0.02, servers: 1 }]);
    expect(open).toBeCloseTo(7 / seen - 0.3, 9);
  });
});
