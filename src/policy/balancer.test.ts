import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BalancerAlgorithm } from '../model/topology.ts';
import { Balancer } from './balancer.ts';
import { pickers } from './balancers/registry.ts';

const ALGORITHMS = Object.keys(pickers) as BalancerAlgorithm[];

function balancerOf(algorithm: BalancerAlgorithm, draw: (bound: number) => number = () => 0) {
  let chosen: number | 'none' | null = null;
  const balancer = new Balancer(
    { algorithm },
    {
      assign: (_flow, target) => {
        chosen = target;
      },
      noTarget: () => {
        chosen = 'none';
      },
      draw,
    },
  );
  const choose = (flow: number, hash = flow): number | null => {
    chosen = null;
    balancer.choose(0, flow, hash);
    if (chosen === null) throw new Error('no answer');
    return chosen === 'none' ? null : chosen;
  };
  return { balancer, choose };
}

/** A small generator for `draw`; its quality does not matter here. */
function draws(): (bound: number) => number {
  let state = 1;
  return (bound) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
}

function shares(choices: readonly (number | null)[]): number[] {
  const counts: number[] = [];
  for (const target of choices) if (target !== null) counts[target] = (counts[target] ?? 0) + 1;
  return counts;
}

const script = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'remove', 'health', 'choose', 'end'),
    target: fc.nat(5),
    value: fc.nat(2 ** 32 - 1),
  }),
  { maxLength: 100 },
);

describe.each(ALGORITHMS)('%s', (algorithm) => {
  it('picks only eligible targets: healthy ones, or all when none is, never a removed one', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const { balancer, choose } = balancerOf(algorithm, draws());
        const registered = new Set<number>();
        const unhealthy = new Set<number>();
        const running: number[] = [];
        for (const { kind, target, value } of steps) {
          if (kind === 'add') {
            balancer.targetAdded(0, target);
            registered.add(target);
          } else if (kind === 'remove') {
            balancer.targetRemoved(0, target);
            registered.delete(target);
          } else if (kind === 'health') {
            balancer.targetHealth(0, target, value % 2);
            if (value % 2 === 1) unhealthy.delete(target);
            else unhealthy.add(target);
          } else if (kind === 'end') {
            const ended = running.shift();
            if (ended !== undefined) balancer.ended(0, ended);
          } else {
            const healthy = [...registered].filter((one) => !unhealthy.has(one));
            const eligible = healthy.length > 0 ? healthy : [...registered];
            const chosen = choose(1, value);
            if (eligible.length === 0) expect(chosen).toBeNull();
            else {
              expect(eligible).toContain(chosen);
              balancer.started(0, chosen ?? -1);
              running.push(chosen ?? -1);
            }
            const failOpen = healthy.length === 0 && registered.size > 0;
            expect(balancer.snapshot()).toEqual({
              targets: registered.size,
              healthy: healthy.length,
              failOpen,
            });
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('algorithms', () => {
  const target = [0, 1, 2, 3];
  function four(algorithm: BalancerAlgorithm) {
    const made = balancerOf(algorithm, draws());
    for (const one of target) made.balancer.targetAdded(0, one);
    return made;
  }

  it('round-robin gives each its turn', () => {
    const { choose } = four('round-robin');
    expect([1, 2, 3, 4, 5].map((flow) => choose(flow))).toEqual([0, 1, 2, 3, 0]);
  });

  it('flow-hash sends one flow to one target, and many flows to all', () => {
    const { choose } = four('flow-hash');
    expect(new Set([1, 2, 3].map((flow) => choose(flow, 4_294_967_295))).size).toBe(1);
    expect(shares(Array.from({ length: 400 }, (_, hash) => choose(1, hash)))).toEqual([
      100, 100, 100, 100,
    ]);
  });

  it('flow-hash finds the same targets again after one of them was ill', () => {
    const { balancer, choose } = four('flow-hash');
    const hashes = Array.from({ length: 50 }, (_, i) => (i * 2_654_435_761) % 2 ** 32);
    const before = hashes.map((hash) => choose(1, hash));
    balancer.targetHealth(0, 2, 0);
    const without = hashes.map((hash) => choose(1, hash));
    expect(without).not.toContain(2);
    balancer.started(0, 0);
    expect(hashes.map((hash) => choose(7, hash))).toEqual(without);
    balancer.targetHealth(0, 2, 1);
    expect(hashes.map((hash) => choose(1, hash))).toEqual(before);
  });

  it('round-robin is even to one, whatever the number of targets and flows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(100), (targets, flows) => {
        const { balancer, choose } = balancerOf('round-robin');
        for (let one = 0; one < targets; one++) balancer.targetAdded(0, one);
        const counts = new Array<number>(targets).fill(0);
        for (let flow = 0; flow < flows; flow++) {
          const chosen = choose(flow) ?? -1;
          counts[chosen] = (counts[chosen] ?? 0) + 1;
        }
        expect(counts).toHaveLength(targets);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('least load goes to the least loaded, and spreads what is equal', () => {
    for (const algorithm of ['least-connections', 'least-outstanding'] as const) {
      const { balancer, choose } = four(algorithm);
      expect(shares([1, 2, 3, 4].map((flow) => choose(flow)))).toEqual([1, 1, 1, 1]);
      for (const one of [0, 0, 1, 3]) balancer.started(0, one);
      expect([1, 2, 3, 4].map((flow) => choose(flow))).toEqual([2, 2, 2, 2]);
      balancer.ended(0, 3);
      for (let i = 0; i < 2; i++) balancer.started(0, 2);
      expect(choose(9)).toBe(3);
    }
  });

  it('random-two never takes the fullest of the targets, and draws two different ones', () => {
    const { balancer, choose } = four('random-two');
    for (let i = 0; i < 5; i++) balancer.started(0, 2);
    const counts = shares(Array.from({ length: 3_000 }, (_, flow) => choose(flow)));
    expect(counts[2]).toBeUndefined();
    for (const one of [0, 1, 3]) expect(counts[one]).toBeGreaterThan(800);
  });
});

describe('health', () => {
  it('of a deregistered target is remembered until it comes back', () => {
    const { balancer, choose } = balancerOf('round-robin');
    balancer.targetAdded(0, 0);
    balancer.targetAdded(0, 1);
    balancer.targetHealth(0, 1, 0);
    balancer.targetRemoved(0, 1);
    balancer.targetAdded(0, 1);
    expect([1, 2, 3].map((flow) => choose(flow))).toEqual([0, 0, 0]);
  });

  it('of nobody opens the gate to all: fail open', () => {
    const { balancer, choose } = balancerOf('round-robin');
    for (const one of [0, 1]) balancer.targetAdded(0, one);
    for (const one of [0, 1]) balancer.targetHealth(0, one, 0);
    expect([1, 2].map((flow) => choose(flow))).toEqual([0, 1]);
    balancer.targetHealth(0, 1, 1);
    expect([1, 2].map((flow) => choose(flow))).toEqual([1, 1]);
  });

  it('loads that end without having begun are told', () => {
    expect(() => balancerOf('round-robin').balancer.ended(0, 3)).toThrow('nothing to end');
  });
});
