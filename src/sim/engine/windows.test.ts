/** Crowds in a window, in their order, and chunks that are used again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHUNK, Windows } from './windows.ts';

interface Event {
  readonly at: number;
  readonly event: number;
}

function emptied(windows: Windows, window: number): Event[] {
  const events: Event[] = [];
  const count = windows.empty(window, (at, event) => events.push({ at, event }));
  expect(count).toBe(events.length);
  return events;
}

it('gives back what went in, in that order, whatever goes into other windows meanwhile', () => {
  const size = fc.oneof(
    fc.nat(5),
    fc.constantFrom(CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK),
    fc.nat(2_000),
  );
  const steps = fc.array(fc.record({ window: fc.nat(3), size, empties: fc.boolean() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const windows = new Windows(4);
      const plain: Event[][] = [[], [], [], []];
      let event = 0;
      for (const { window, size: count, empties } of all) {
        for (let i = 0; i < count; i++) {
          event += 1;
          windows.push(window, event / 2, event);
          plain[window]?.push({ at: event / 2, event });
        }
        if (!empties) continue;
        expect(emptied(windows, window)).toEqual(plain[window]);
        plain[window] = [];
      }
      for (const [window, events] of plain.entries()) {
        expect(emptied(windows, window)).toEqual(events);
      }
    }),
  );
});

it('needs no more room for a thousand windows than for the fullest two', () => {
  const windows = new Windows(2);
  const most = 1_000;
  for (let turn = 0; turn < 1_000; turn++) {
    for (let i = 0; i < most; i++) windows.push(turn % 2, turn, i);
    expect(emptied(windows, (turn + 1) % 2).length).toBe(turn === 0 ? 0 : most);
  }
  expect(windows.chunks).toBe(2 * Math.ceil(most / CHUNK));
});
