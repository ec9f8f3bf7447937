import { expect, it } from 'vitest';
import { LaneBook } from './lane-book.ts';

it('gives the lowest lane that is free', () => {
  const book = new LaneBook();
  expect([book.take(0, 10), book.take(1, 5), book.take(2, Number.NaN)]).toEqual([0, 1, 2]);
  expect(book.take(6, 20)).toBe(1);
  expect(book.take(10, 20)).toBe(0);
  expect(book.lanes).toBe(3);
});

it('frees a lane whose end is told later', () => {
  const book = new LaneBook();
  const lane = book.take(0, Number.NaN);
  expect(book.take(1, 2)).toBe(1);
  book.ends(lane, 3);
  expect(book.take(3, 4)).toBe(0);
});

it('frees a lane once, though its end is told twice', () => {
  const book = new LaneBook();
  const lane = book.take(0, 100);
  book.ends(lane, 50);
  expect([book.take(60, 100), book.take(61, 100)]).toEqual([0, 1]);
  expect(book.take(99, 200)).toBe(2);
});

it('does not take the old end of a lane for that of who has it now', () => {
  const book = new LaneBook();
  book.ends(book.take(0, 100), 50);
  expect(book.take(50, 300)).toBe(0);
  expect(book.take(150, 300)).toBe(1);
});
