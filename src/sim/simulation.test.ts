/** A collapse lived through twice: with either event queue, the same events to the last byte. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseTopology } from '../topology/index.ts';
import type { EventQueue } from './engine/event-queue.ts';
import { HeapQueue } from './engine/heap-queue.ts';
import { WheelQueue } from './engine/wheel-queue.ts';
import { Simulation } from './simulation.ts';

const INCIDENT = fileURLToPath(new URL('../../examples/incident.yaml', import.meta.url));
const PRIME = 0x01000193;

interface Lived {
  /** FNV-1a over every number of every event. */
  readonly hash: number;
  readonly events: number;
  readonly pendingMax: number;
}

function live(seed: number, queue: EventQueue): Lived {
  const parsed = parseTopology(readFileSync(INCIDENT, 'utf8'), 'incident.yaml', {
    set: [],
    scale: 1,
    timeScale: 1,
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  let hash = 0x811c9dc5;
  let events = 0;
  const bytes = new Uint8Array(new Float64Array(1).buffer);
  const double = new Float64Array(bytes.buffer);
  const simulation = new Simulation({
    topology: parsed.topology,
    topologyHash: '',
    version: '',
    seed,
    queue,
    recorder: {
      write: (...row) => {
        events += 1;
        for (const number of row) {
          double[0] = number;
          for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
        }
      },
    },
  });
  let pendingMax = 0;
  while (!simulation.step(1_000)) {
    pendingMax = Math.max(pendingMax, simulation.engine.pending);
  }
  simulation.finish();
  return { hash: hash >>> 0, events, pendingMax };
}

describe('simulation', () => {
  const wheel = live(1, new WheelQueue());

  it('gives the same events with either event queue, through a collapse', () => {
    expect(live(1, new HeapQueue())).toEqual(wheel);
    expect(wheel.events).toBeGreaterThan(100_000);
  });

  it('gives the same events for the same seed, and others for another', () => {
    expect(live(1, new WheelQueue())).toEqual(wheel);
    expect(live(2, new WheelQueue()).hash).not.toBe(wheel.hash);
  });

  it('lets no timer pile up', () => {
    // 770 users think or wait; pools, lanes and policies add a wake-up each, most of them none.
    // A timer per request that is left to pass would be tens of thousands.
    expect(wheel.pendingMax).toBeLessThan(2_500);
  });
});
