import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HealthCheckSettings } from '../model/topology.ts';
import { HealthCheck } from './health-check.ts';

const NLB: HealthCheckSettings = {
  enabled: true,
  hop: 'nginx',
  path: '/alive',
  interval: 30_000_000,
  timeout: 10_000_000,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
};

function checkOf(settings: HealthCheckSettings, draw: (bound: number) => number = () => 0) {
  const probes: [number, number][] = [];
  const flips: string[] = [];
  const state = { now: 0, wakeAt: Number.POSITIVE_INFINITY };
  const check = new HealthCheck(settings, {
    probe: (target) => probes.push([state.now, target]),
    health: (target, healthy) => flips.push(`${target}=${healthy}`),
    wakeAt: (at) => {
      state.wakeAt = at;
    },
    draw,
  });
  /** Wakes the check until `end`, each time `late` µs later than asked. */
  const passTime = (end: number, late = 0): void => {
    while (state.wakeAt + late <= end) {
      state.now = state.wakeAt + late;
      state.wakeAt = Number.POSITIVE_INFINITY;
      check.wake(state.now);
    }
  };
  return { check, probes, flips, state, passTime };
}

describe('a health check', () => {
  it('flips exactly at the thresholds, by a plain count of results in a row', () => {
    const thresholds = fc.integer({ min: 1, max: 6 });
    const results = fc.array(fc.boolean(), { maxLength: 80 });
    fc.assert(
      fc.property(
        thresholds,
        thresholds,
        results,
        (healthyThreshold, unhealthyThreshold, script) => {
          const { check, flips } = checkOf({ ...NLB, healthyThreshold, unhealthyThreshold });
          check.targetAdded(0, 3);
          let healthy = true;
          let inRow = 0;
          const expected: string[] = [];
          script.forEach((ok, index) => {
            inRow = index > 0 && script[index - 1] === ok ? inRow + 1 : 1;
            const needed = ok ? healthyThreshold : unhealthyThreshold;
            if (ok !== healthy && inRow >= needed) {
              healthy = ok;
              expected.push(`3=${ok ? 1 : 0}`);
            }
            check.probeResult(index, 3, ok ? 1 : 0);
            expect(flips).toEqual(expected);
          });
        },
      ),
    );
  });

  it('keeps the beat of every target, spread by the draw, though wake-ups are late', () => {
    let drawn = 0;
    const { check, probes, passTime } = checkOf(NLB, (bound) => {
      expect(bound).toBe(30_000_000);
      drawn += 7_000_000;
      return drawn;
    });
    for (const target of [0, 1, 2]) check.targetAdded(1_000_000, target);
    passTime(100_000_000, 900);
    const times = (of: number): number[] =>
      probes.filter(([, target]) => target === of).map(([at]) => at);
    expect(times(0)).toEqual([8_000_900, 38_000_900, 68_000_900, 98_000_900]);
    expect(times(2)).toEqual([22_000_900, 52_000_900, 82_000_900]);
  });

  it('probes nobody early or twice in a beat, and asks to be woken, by any script', () => {
    const script = fc.array(
      fc.record({
        kind: fc.constantFrom('add', 'remove', 'wait', 'wait'),
        target: fc.nat(3),
        after: fc.nat(250),
        late: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(150)),
        drawn: fc.nat(99),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(script, (steps) => {
        let drawn = 0;
        const { check, probes, state } = checkOf({ ...NLB, interval: 100 }, () => drawn);
        /** Of each registered target the moment on which all its beats lie, and its next one. */
        const beats = new Map<number, { from: number; next: number }>();
        let now = 0;
        const wake = (): void => {
          state.now = now;
          state.wakeAt = Number.POSITIVE_INFINITY;
          check.wake(now);
          for (const [at, target] of probes.splice(0)) {
            const beat = beats.get(target);
            if (beat === undefined) throw new Error(`${target} is not registered`);
            expect(at).toBeGreaterThanOrEqual(beat.next);
            beat.next += 100 * (1 + Math.floor((at - beat.next) / 100));
            expect((beat.next - beat.from) % 100).toBe(0);
          }
        };
        for (const { kind, target, after, late, drawn: next } of steps) {
          const end = now + after;
          while (state.wakeAt + late <= end) {
            now = Math.max(now, state.wakeAt + late);
            wake();
          }
          now = end;
          drawn = next;
          if (kind === 'add') {
            check.targetAdded(now, target);
            const from = now + drawn;
            if (!beats.has(target)) beats.set(target, { from, next: from });
          } else if (kind === 'remove') {
            check.targetRemoved(now, target);
            beats.delete(target);
          }
          const due = [...beats.values()].map((beat) => beat.next);
          expect(state.wakeAt).toBe(Math.min(...due));
          expect(check.snapshot().targets).toBe(beats.size);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not make up for what was missed while nobody woke it', () => {
    const { check, probes, state } = checkOf(NLB);
    check.targetAdded(0, 0);
    state.now = 95_000_000;
    check.wake(95_000_000);
    expect(probes).toEqual([[95_000_000, 0]]);
    expect(state.wakeAt).toBe(120_000_000);
  });

  it('probes nobody that is not registered, and hears no late results of them', () => {
    const { check, probes, flips, state, passTime } = checkOf({ ...NLB, unhealthyThreshold: 1 });
    check.targetAdded(0, 0);
    check.targetAdded(0, 0);
    check.targetRemoved(1, 0);
    expect(state.wakeAt).toBe(Infinity);
    check.probeResult(2, 0, 0);
    passTime(1e9);
    expect([probes, flips]).toEqual([[], []]);
  });

  it('counts anew for a target that comes back, which keeps the health that it had', () => {
    const { check, flips } = checkOf(NLB);
    check.targetAdded(0, 0);
    check.probeResult(1, 0, 0);
    check.targetRemoved(2, 0);
    check.targetAdded(3, 0);
    check.probeResult(4, 0, 0);
    expect(flips).toEqual([]);
    check.probeResult(5, 0, 0);
    expect(flips).toEqual(['0=0']);
    check.targetRemoved(6, 0);
    check.targetAdded(7, 0);
    expect(check.snapshot()).toEqual({ targets: 1, healthy: 0 });
  });

  it('goes over to a shorter interval without waiting for the old one to end', () => {
    const { check, state } = checkOf(NLB, () => 29_000_000);
    check.targetAdded(0, 0);
    check.configure(1_000_000, { ...NLB, interval: 5_000_000 });
    expect(state.wakeAt).toBe(6_000_000);
  });
});
