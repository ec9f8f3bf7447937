import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { StationAccount } from '../../measure/station-account.ts';
import type { Distribution } from '../../model/topology.ts';
import { randomStream } from '../../random/stream.ts';
import { Clock } from '../runtime/clock.ts';
import { DueHeap } from '../runtime/due-heap.ts';
import { Station, type StationWitness } from './station.ts';

const stations: Station[] = [];
afterEach(() => {
  for (const station of stations.splice(0)) station.stop();
});

const ROOM = { waitingMax: 100_000, contention: 0 };

function stationOf(serviceTime: Distribution, concurrencyMax: number): Station {
  const settings = { ...ROOM, serviceTime, concurrencyMax };
  const station = new Station(clock, settings, randomStream(1, 'station'), nobody);
  stations.push(station);
  return station;
}

const clock = new Clock();
const nobody = (): void => {};
const constant = (value: number) => ({ kind: 'constant', value }) as const;

/** Submits pieces and resolves with the order and times (µs from now) in which they were done. */
function times(station: Station, pieces: number): Promise<{ order: number[]; at: number[] }> {
  const since = clock.now();
  const order: number[] = [];
  const at: number[] = [];
  return new Promise((resolve) => {
    for (let piece = 0; piece < pieces; piece++) {
      station.submit(() => {
        order.push(piece);
        at.push(clock.now() - since);
        if (order.length === pieces) resolve({ order, at });
      });
    }
  });
}

describe('station', () => {
  it('is never early, keeps the order, and lateness does not add up', async () => {
    // 50 rounds of 700 µs: were each one late by a timer's grain, 50 ms would come on top in
    // every trial. The schedule itself is exact, so in one of them only the last announcement's
    // own lateness shows, however busy the machine is.
    const lateness: number[] = [];
    for (let trial = 0; trial < 50 && (lateness.at(-1) ?? 9_999) >= 5_000; trial++) {
      const { order, at } = await times(stationOf(constant(700), 2), 100);
      expect(order).toEqual(Array.from({ length: 100 }, (_piece, index) => index));
      at.forEach((time, index) => {
        expect(time).toBeGreaterThanOrEqual(700 * (1 + Math.floor(index / 2)));
      });
      lateness.push((at.at(-1) ?? 0) - 35_000);
    }
    expect(Math.min(...lateness)).toBeLessThan(5_000);
  });

  it('refuses what finds no room to wait', () => {
    const settings = { ...ROOM, serviceTime: constant(60_000_000), concurrencyMax: 2 };
    const room = { ...settings, waitingMax: 1 };
    const station = new Station(clock, room, randomStream(1, 'room'), nobody);
    stations.push(station);
    const taken = [1, 2, 3, 4].map(() => station.submit(() => {}));
    expect(taken).toEqual([true, true, true, false]);
  });

  it('slows down what begins beside others', async () => {
    const settings = { ...ROOM, serviceTime: constant(10_000), concurrencyMax: 3 };
    const slower = { ...settings, contention: 2 };
    const station = new Station(clock, slower, randomStream(1, 'slow'), nobody);
    stations.push(station);
    const { order, at } = await times(station, 3);
    expect(order).toEqual([0, 1, 2]);
    [10_000, 30_000, 50_000].forEach((due, piece) => {
      expect(at[piece]).toBeGreaterThanOrEqual(due);
    });
  });

  it('serves without limit where there is none', async () => {
    const station = stationOf(constant(30_000), 0);
    const all = times(station, 1_000);
    expect(station.serving).toBe(1_000);
    expect(Math.min(...(await all).at)).toBeGreaterThanOrEqual(30_000);
  });

  it('is done later, never within submit', async () => {
    const station = stationOf(constant(0), 1);
    let done = 0;
    const more = (): void => {
      done += 1;
      const before = done;
      if (done < 50) station.submit(more);
      expect(done).toBe(before);
    };
    station.submit(more);
    expect(done).toBe(0);
    await times(station, 1);
    while (done < 50) await new Promise((resolve) => setImmediate(resolve));
    expect(station.serving + station.waiting).toBe(0);
  });

  it('lets nothing end during a stall, and everything that was due at its end', async () => {
    const station = stationOf(constant(1_000), 4);
    const stalled = times(station, 6);
    station.stall(40_000);
    const { at } = await stalled;
    expect(Math.min(...at)).toBeGreaterThanOrEqual(40_000);
    // The two that waited began when the stall ended.
    expect(at.slice(4).every((time) => time >= 41_000)).toBe(true);
  });

  it('multiplies the time of what begins while it is slow', async () => {
    const station = stationOf(constant(2_000), 1);
    station.slow(10, 5_000);
    const { at } = await times(station, 2);
    expect(at[0]).toBeGreaterThanOrEqual(20_000);
    expect(at[1]).toBeGreaterThanOrEqual(22_000);
  });

  it('takes a larger limit at once, and refuses what is too much', async () => {
    const station = stationOf(constant(60_000_000), 1);
    let taken = 0;
    while (station.submit(() => {})) taken += 1;
    // One is served, the others wait.
    expect(taken).toBe(100_001);
    station.configure({ ...ROOM, serviceTime: constant(1), concurrencyMax: 51 });
    expect(station.serving).toBe(51);
    station.stop();
    expect(station.serving + station.waiting).toBe(0);
  });

  it('tells how busy it was to the microsecond, however late its timers are', async () => {
    const settings = { ...ROOM, serviceTime: constant(1_300), concurrencyMax: 2 };
    // A clock that the test moves, by steps that hit no end of a piece: each is noticed late.
    let now = 1_000_000;
    const given = Object.assign(new Clock(), { now: () => now });
    const account = new StationAccount(now);
    let latest = 0;
    const witness: StationWitness = (serving, waiting, late) => {
      const idle = serving < account.serving;
      account.changed(serving, waiting, now);
      account.toldLate(idle, late);
      latest = Math.max(latest, late);
    };
    const station = new Station(given, settings, randomStream(1, 'busy'), witness);
    stations.push(station);
    let done = 0;
    for (let piece = 0; piece < 21; piece++) {
      station.submit(() => {
        done += 1;
      });
    }
    while (done < 21) {
      now += 370;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(account).toMatchObject({ serving: 0, waiting: 0, busyTime: 21 * 1_300 });
    // In pairs: those of the nth pair wait for n pieces before them, the last one alone for ten.
    expect(account.waitTime).toBe(1_300 * (2 * 45 + 10));
    expect(latest).toBeGreaterThan(0);
  });

  it('stands still while the clock is frozen', async () => {
    const frozen = new Clock();
    const settings = { ...ROOM, serviceTime: constant(100), concurrencyMax: 1 };
    const station = new Station(frozen, settings, randomStream(1, 'station'), nobody);
    stations.push(station);
    let done = false;
    station.submit(() => {
      done = true;
    });
    frozen.freeze();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(done).toBe(false);
  });
});

describe('what falls due', () => {
  it('comes in order of time, at equal times in order of insertion', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (dues) => {
        const heap = new DueHeap<number>();
        dues.forEach((at, index) => {
          heap.add(at, index);
        });
        const sorted = dues.map((at, index) => ({ at, index })).sort((x, y) => x.at - y.at);
        for (const { at, index } of sorted) {
          expect(heap.firstAt).toBe(at);
          expect(heap.takeFirst()).toBe(index);
        }
        expect(heap.takeFirst()).toBeUndefined();
      }),
    );
  });
});
