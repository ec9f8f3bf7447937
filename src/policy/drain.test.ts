import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Drain } from './drain.ts';

const DELAY = 300;

function drainOf(deregistrationDelay = DELAY) {
  const said: string[] = [];
  const state = { now: 0, wakeAt: Number.POSITIVE_INFINITY };
  const drain = new Drain(
    { deregistrationDelay },
    {
      closeFlows: (target) => said.push(`close ${target}`),
      drained: (target) => said.push(`drained ${target}`),
      wakeAt: (at) => {
        state.wakeAt = at;
      },
    },
  );
  const heard = (): string[] => said.splice(0);
  const passTime = (end: number): void => {
    while (state.wakeAt <= end) {
      state.now = state.wakeAt;
      state.wakeAt = Number.POSITIVE_INFINITY;
      drain.wake(state.now);
    }
    state.now = end;
  };
  return { drain, heard, state, passTime };
}

describe('a drain', () => {
  it('is over at once without flows, and with the last flow otherwise', () => {
    const { drain, heard, state } = drainOf();
    drain.begin(0, 1);
    expect(heard()).toEqual(['drained 1']);
    drain.flowOpened(1, 2);
    drain.flowOpened(1, 2);
    drain.begin(2, 2);
    drain.begin(3, 2);
    drain.flowClosed(4, 2);
    expect(heard()).toEqual([]);
    drain.flowClosed(5, 2);
    expect(heard()).toEqual(['drained 2']);
    expect(state.wakeAt).toBe(Infinity);
  });

  it('closes what is left after the delay, whose ends are then nothing new', () => {
    const { drain, heard, passTime } = drainOf();
    drain.flowOpened(0, 0);
    drain.begin(10, 0);
    passTime(309);
    expect(heard()).toEqual([]);
    passTime(310);
    expect(heard()).toEqual(['close 0', 'drained 0']);
    drain.flowClosed(311, 0);
    expect(heard()).toEqual([]);
  });

  it('is called off when the target comes back', () => {
    const { drain, heard, state, passTime } = drainOf();
    drain.flowOpened(0, 0);
    drain.begin(0, 0);
    drain.cancel(100, 0);
    expect(state.wakeAt).toBe(Infinity);
    passTime(1_000);
    drain.flowClosed(1_001, 0);
    expect(heard()).toEqual([]);
  });

  it('tells of each target once, never before its flows are gone or its time is over', () => {
    const script = fc.array(
      fc.record({
        kind: fc.constantFrom('open', 'open', 'close', 'begin', 'cancel', 'wait'),
        target: fc.nat(3),
        after: fc.oneof(fc.constant(0), fc.nat(150)),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(script, (steps) => {
        const { drain, heard, state, passTime } = drainOf();
        const flows = [0, 0, 0, 0];
        const since = new Map<number, number>();
        const listen = (): void => {
          for (const line of heard()) {
            const [what, name] = line.split(' ');
            const target = Number(name);
            const due = (since.get(target) ?? Infinity) + DELAY;
            if (what === 'close') expect(state.now).toBe(due);
            else {
              expect(flows[target] === 0 || state.now === due).toBe(true);
              expect(since.delete(target)).toBe(true);
            }
          }
        };
        for (const { kind, target, after } of steps) {
          const end = state.now + after;
          for (; state.wakeAt <= end; listen()) passTime(state.wakeAt);
          passTime(end);
          const { now } = state;
          const count = flows[target] ?? 0;
          if (kind === 'open') {
            flows[target] = count + 1;
            drain.flowOpened(now, target);
          } else if (kind === 'close' && count > 0) {
            flows[target] = count - 1;
            drain.flowClosed(now, target);
          } else if (kind === 'begin') {
            if (!since.has(target)) since.set(target, now);
            drain.begin(now, target);
          } else if (kind === 'cancel') {
            since.delete(target);
            drain.cancel(now, target);
          }
          listen();
          expect(drain.snapshot().draining).toBe(since.size);
          const due = [...since.values()].map((begun) => begun + DELAY);
          expect(state.wakeAt).toBe(Math.min(...due));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is told of flows that end without having begun', () => {
    expect(() => drainOf().drain.flowClosed(0, 1)).toThrow('no flow to close');
  });
});
