import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DescriptorBudget } from './descriptor-budget.ts';

function enter(budget: DescriptorBudget, count: number): void {
  for (let i = 0; i < count; i++) {
    budget.took();
    budget.entered();
  }
}

function leave(budget: DescriptorBudget, count: number): void {
  for (let i = 0; i < count; i++) {
    budget.left();
    budget.give();
  }
}

function connect(budget: DescriptorBudget, count: number): number {
  let granted = 0;
  for (let i = 0; i < count; i++) if (budget.take()) granted += 1;
  return granted;
}

describe('descriptor budget', () => {
  it('entries stop at half of the limit, and leave a descriptor for each', () => {
    const budget = new DescriptorBudget(32);
    enter(budget, 15);
    expect(budget.mayEnter).toBe(true);
    enter(budget, 1);
    expect(budget.mayEnter).toBe(false);
    expect(connect(budget, 20)).toBe(16);
    expect(budget.isOver).toBe(false);
    // What is there already counts all the same.
    budget.took();
    expect([budget.used, budget.isOver]).toEqual([33, true]);
  });

  it('entries stop at seven eighths in use by others', () => {
    const budget = new DescriptorBudget(32);
    enter(budget, 4);
    connect(budget, 23);
    expect(budget.mayEnter).toBe(true);
    connect(budget, 1);
    expect(budget.mayEnter).toBe(false);
  });

  it('a few entries may always come, however much pools hold', () => {
    const budget = new DescriptorBudget(32);
    connect(budget, 32);
    expect(budget.mayEnter).toBe(true);
    enter(budget, 2);
    expect(budget.mayEnter).toBe(false);
    let resumed = 0;
    budget.whenFree(() => {
      resumed += 1;
    });
    leave(budget, 1);
    expect(resumed).toBe(1);
  });

  it('resumes once, some way below, in the order of waiting', () => {
    const budget = new DescriptorBudget(32);
    enter(budget, 16);
    const heard: string[] = [];
    const forgotten = (): void => void heard.push('forgotten');
    budget.whenFree(() => heard.push('first'));
    budget.whenFree(forgotten);
    budget.whenFree(() => heard.push('second'));
    budget.forget(forgotten);
    leave(budget, 2);
    expect(heard).toEqual([]);
    leave(budget, 1);
    expect(heard).toEqual(['first', 'second']);
    leave(budget, 13);
    expect(heard).toEqual(['first', 'second']);
    expect(() => budget.give()).toThrow('more descriptors');
  });

  it('calls at once when there is room, and again whoever waits while it is called', () => {
    const budget = new DescriptorBudget(4);
    const heard: number[] = [];
    budget.whenFree(() => heard.push(0));
    expect(heard).toEqual([0]);
    enter(budget, 2);
    budget.whenFree(() => {
      heard.push(1);
      enter(budget, 1);
      budget.whenFree(() => heard.push(2));
    });
    expect(heard).toEqual([0]);
    leave(budget, 1);
    expect(heard).toEqual([0, 1]);
    leave(budget, 1);
    expect(heard).toEqual([0, 1, 2]);
  });

  it('where no limit is known, nothing is ever refused', () => {
    const budget = new DescriptorBudget(Number.POSITIVE_INFINITY);
    expect(connect(budget, 100_000)).toBe(100_000);
    enter(budget, 100_000);
    expect([budget.mayEnter, budget.isOver]).toEqual([true, false]);
  });

  it('whatever happens: connects never pass the limit, and nobody waits beside free ones', () => {
    const steps = fc.array(fc.constantFrom('enter', 'connect', 'leave', 'give'), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), steps, (limit, script) => {
        const budget = new DescriptorBudget(limit);
        const open = { entries: 0, connects: 0 };
        let waits = false;
        for (const step of script) {
          if (step === 'enter' && !waits) {
            open.entries += 1;
            enter(budget, 1);
            waits = !budget.mayEnter;
            if (waits) {
              budget.whenFree(() => {
                waits = false;
              });
            }
          } else if (step === 'connect') open.connects += connect(budget, 1);
          else if (step === 'leave' && open.entries > 0) {
            open.entries -= 1;
            leave(budget, 1);
          } else if (step === 'give' && open.connects > 0) {
            open.connects -= 1;
            budget.give();
          }
          expect(budget.used).toBe(open.entries + open.connects);
          // One listener: it stops one after the mark, and a few may always come.
          expect(open.entries).toBeLessThanOrEqual(Math.max(Math.ceil(limit / 2), 1));
          expect(open.connects).toBeLessThanOrEqual(limit);
          expect(waits && open.entries === 0).toBe(false);
        }
      }),
    );
  });
});
