/** When a connection's row is used again: not before nobody can ask for the connection. */
import { expect, it } from 'vitest';
import { Engine } from '../engine/engine.ts';
import { HeapQueue } from '../engine/heap-queue.ts';
import * as of from './connections.ts';
import { Connections } from './connections.ts';

function table(): { connections: Connections; engine: Engine; forgotten: number[] } {
  const engine = new Engine(new HeapQueue());
  const forgotten: number[] = [];
  const connections = new Connections(engine, (connection) => forgotten.push(connection));
  return { connections, engine, forgotten };
}

it('uses a row again in a later instant, as if it were new', () => {
  const { connections, engine, forgotten } = table();
  const first = connections.take();
  connections.put(first, of.SERVED, 7);
  connections.over(first);
  expect(connections.take()).not.toBe(first);
  engine.now += 1;
  expect(connections.take()).toBe(first);
  expect(forgotten).toEqual([first]);
  expect(connections.get(first, of.SERVED)).toBe(0);
  expect(connections.get(first, of.STAMP)).toBe(2);
});

it('keeps the row while something is on its way', () => {
  const { connections, engine } = table();
  const first = connections.take();
  connections.departs(first);
  connections.over(first);
  engine.now += 1;
  expect(connections.take()).not.toBe(first);
  connections.arrives(first);
  engine.now += 1;
  expect(connections.take()).toBe(first);
});

it('keeps joined connections until all of them are over', () => {
  const { connections, engine } = table();
  const [low, middle, high] = [connections.take(), connections.take(), connections.take()];
  for (const [below, above] of [
    [low, middle],
    [middle, high],
  ] as const) {
    connections.put(below, of.ABOVE, above);
    connections.put(above, of.BELOW, below);
  }
  for (const one of [middle, low]) connections.over(one);
  engine.now += 1;
  const other = connections.take();
  expect([low, middle, high]).not.toContain(other);
  connections.over(high);
  engine.now += 1;
  const again = [connections.take(), connections.take(), connections.take()];
  expect(again.sort()).toEqual([low, middle, high].sort());
});
