import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionQueue, type ConnectionQueueSettings } from './connection-queue.ts';
import { QueueWorld, settingsOf, steps } from './queue-world.case.ts';

const MS = 1_000;

const INCIDENT: ConnectionQueueSettings = {
  activeMax: 15,
  heldMax: 1_000,
  heldTimeout: 0,
  order: 'fifo',
  reclaim: 'none',
  reclaimAfter: 5 * MS,
  whileHeld: 'unread',
};

function worldOf(settings: ConnectionQueueSettings): QueueWorld {
  return new QueueWorld(settings, (port) => new ConnectionQueue(settings, port));
}

describe('any script of steps', () => {
  it('keeps every promise', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, script) => {
        worldOf(settings).run(script);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps them also when the settings change in between', () => {
    fc.assert(
      fc.property(settingsOf, settingsOf, steps, steps, (settings, later, first, second) => {
        const world = worldOf(settings);
        world.run(first);
        const before = world.in('active').length;
        world.configure(later);
        // Nobody busy loses a slot; there may be more than allowed until they are done.
        expect(world.in('active').length).toBeLessThanOrEqual(Math.max(before, later.activeMax));
        world.run(second);
      }),
      { numRuns: 300 },
    );
  });

  it('serves everybody who waits once the others leave, in order', () => {
    fc.assert(
      fc.property(settingsOf, steps, (settings, script) => {
        const world = worldOf({ ...settings, heldTimeout: 0 });
        world.run(script);
        for (let rounds = 0; world.queue.snapshot().waiting > 0; rounds++) {
          expect(rounds).toBeLessThan(200);
          const active = [...world.connections].find(([, one]) => one.state === 'active');
          if (active === undefined) throw new Error('they wait, and nobody is active');
          world.leave(active[0]);
          world.check();
        }
      }),
      { numRuns: 200 },
    );
  });

  it('with idle-yield serves everybody who waits without anybody leaving', () => {
    fc.assert(
      fc.property(settingsOf, steps, (given, script) => {
        const settings = { ...given, reclaim: 'idle-yield' as const, heldTimeout: 0 };
        const world = worldOf(settings);
        world.run(script);
        for (let rounds = 0; world.queue.snapshot().waiting > 0; rounds++) {
          expect(rounds).toBeLessThan(200);
          for (const [number, one] of world.connections) {
            if (one.state === 'active') world.down(number);
          }
          world.passTime(settings.reclaimAfter * 10 + 1);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the incident', () => {
  it('makes fifteen connections golden: the sixteenth waits until one of them closes', () => {
    const world = worldOf(INCIDENT);
    const numbers = Array.from({ length: 60 }, () => world.open());
    expect(world.queue.snapshot()).toMatchObject({ active: 15, held: 45 });
    for (let round = 0; round < 100; round++) {
      world.passTime(200 * MS);
      for (const number of numbers.slice(0, 15)) world.up(number);
      for (const number of numbers.slice(0, 15)) world.down(number);
    }
    // Twenty seconds later the same fifteen have been served, and nobody else.
    expect(world.queue.snapshot()).toMatchObject({ active: 15, held: 45, granted: 15, yields: 0 });
    expect(world.connections.get(15)?.state).toBe('held');
    world.leave(7);
    expect(world.connections.get(15)?.state).toBe('active');
    expect(world.connections.get(16)?.state).toBe('held');
  });

  it('gives slots to clients that have left, because unread ones look alive', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1 });
    world.open();
    const gone = world.open();
    const alive = world.open();
    // The client of `gone` leaves; nothing is read, so the driver has nothing to report.
    world.leave(0);
    expect(world.connections.get(gone)?.state).toBe('active');
    expect(world.connections.get(alive)?.state).toBe('held');
  });
});

describe('the cure', () => {
  it('serves all sixty: each think time gives its slot to somebody else', () => {
    const world = worldOf({ ...INCIDENT, reclaim: 'idle-yield' });
    const numbers = Array.from({ length: 60 }, () => world.open());
    const served = new Set<number>();
    for (let round = 0; round < 40; round++) {
      for (const number of numbers) {
        const one = world.connections.get(number);
        if (one?.state === 'yielded' || one?.state === 'active') world.up(number);
      }
      for (let slice = 0; slice < 8; slice++) {
        world.passTime(5 * MS);
        for (const number of numbers) {
          const one = world.connections.get(number);
          if (one?.state === 'active' && one.last !== 'down') {
            if (one.last === 'none') world.up(number);
            world.down(number);
            served.add(number);
          }
        }
      }
      world.passTime(200 * MS);
    }
    expect(served.size).toBe(60);
    expect(world.overcommit).toBe(0);
    expect(world.queue.snapshot()).toMatchObject({ held: 0, waiting: 0 });
  });

  it('takes no slot while nobody waits, however idle', () => {
    const world = worldOf({ ...INCIDENT, reclaim: 'idle-yield' });
    for (let i = 0; i < 15; i++) {
      world.open();
      world.up(i);
      world.down(i);
    }
    world.passTime(3_600_000 * MS);
    expect(world.queue.snapshot()).toMatchObject({ active: 15, yields: 0 });
    expect(world.wakeAt).toBe(Infinity);
    world.open();
    expect(world.queue.snapshot()).toMatchObject({ active: 15, yielded: 1, yields: 1 });
  });

  it('never takes the slot of a request that has no answer yet, however long it takes', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1, reclaim: 'idle-yield' });
    world.open();
    world.up(0);
    world.open();
    world.passTime(60_000 * MS);
    expect(world.connections.get(1)?.state).toBe('held');
    world.down(0);
    world.passTime(5 * MS - 1);
    expect(world.connections.get(1)?.state).toBe('held');
    world.passTime(1);
    expect(world.connections.get(1)?.state).toBe('active');
    expect(world.connections.get(0)?.state).toBe('yielded');
  });

  it('counts a response that goes on after its connection yielded, once, and delivers it', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1, reclaim: 'idle-yield' });
    world.open();
    world.up(0);
    world.down(0);
    world.open();
    world.passTime(5 * MS);
    world.down(0);
    world.down(0);
    world.up(0);
    world.down(0);
    expect(world.queue.snapshot()).toMatchObject({ overcommit: 1, held: 1, active: 1 });
  });

  it('lets go of silent openers late, and of nobody that has asked', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1, reclaim: 'idle-yield' });
    world.open();
    world.open();
    world.passTime(50 * MS - 1);
    expect(world.connections.get(1)?.state).toBe('held');
    world.passTime(1);
    expect(world.connections.get(1)?.state).toBe('active');
  });

  it('remembers nothing of a connection that left when its number is used again', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1, reclaim: 'idle-yield' });
    world.open();
    world.up(0);
    world.down(0);
    world.passTime(5 * MS);
    world.open();
    world.up(1);
    // 0 has yielded to 1, asks again, and leaves before its turn.
    world.up(0);
    world.leave(0);
    expect(world.open()).toBe(0);
    world.leave(1);
    // The new 0 has a slot and has said nothing: it is a silent opener, not a busy one.
    world.open();
    world.passTime(50 * MS);
    expect(world.connections.get(0)?.state).toBe('yielded');
  });

  it('watching, gives no slot to a connection that has sent nothing', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 1, whileHeld: 'watch' });
    const silent = world.open();
    expect(world.queue.snapshot()).toMatchObject({ active: 0, held: 1, waiting: 0 });
    const asking = world.open();
    world.up(asking);
    expect(world.connections.get(asking)?.state).toBe('active');
    expect(world.connections.get(silent)?.state).toBe('held');
  });
});

describe('limits', () => {
  it('closes what comes beyond activeMax + heldMax, whatever the others are doing', () => {
    const settings = { ...INCIDENT, activeMax: 1, heldMax: 2, reclaim: 'idle-yield' as const };
    const world = worldOf(settings);
    for (let i = 0; i < 3; i++) {
      world.open();
      world.passTime(100 * MS);
    }
    expect(world.queue.snapshot()).toMatchObject({ active: 1, yielded: 2, overflow: 0 });
    expect(world.connections.get(world.open())?.state).toBe('closing');
    expect(world.queue.snapshot()).toMatchObject({ overflow: 1 });
  });

  it('bounds the silent too that are only watched', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 2, heldMax: 3, whileHeld: 'watch' });
    for (let i = 0; i < 9; i++) world.open();
    expect(world.queue.snapshot()).toMatchObject({ held: 5, overflow: 4 });
  });

  it('lowered below the slots in use still moves slots from the idle to who waits', () => {
    const world = worldOf({ ...INCIDENT, activeMax: 4, reclaim: 'idle-yield' });
    for (let i = 0; i < 5; i++) world.open();
    for (let i = 0; i < 4; i++) world.up(i);
    for (let i = 0; i < 4; i++) world.down(i);
    world.configure({ ...world.settings, activeMax: 2 });
    expect(world.queue.snapshot()).toMatchObject({ active: 4, waiting: 1 });
    world.passTime(5 * MS);
    expect(world.queue.snapshot()).toMatchObject({ active: 2, waiting: 0, yielded: 3 });
    expect(world.connections.get(4)?.state).toBe('active');
  });
});
