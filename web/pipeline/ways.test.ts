import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EDGE, type Ground, type Point, way, wayInView } from './ways.ts';

/** The one curve that was drawn, as its four points. */
function drawn(draw: (ground: Ground) => void): Point[] {
  const points: Point[] = [];
  const context = {
    moveTo: (x: number, y: number) => points.push([x, y]),
    bezierCurveTo: (...all: number[]) => {
      for (let at = 0; at < 6; at += 2) points.push([all[at] ?? 0, all[at + 1] ?? 0]);
    },
  };
  draw({ context: context as unknown as CanvasRenderingContext2D, horizontal: true });
  return points;
}

function at(points: readonly Point[], t: number): Point {
  const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  const sum = (axis: 0 | 1): number =>
    points.reduce((total, point, index) => total + (weights[index] ?? 0) * point[axis], 0);
  return [sum(0), sum(1)];
}

/** How far across the whole curve is where it has come so far along. */
function acrossAt(points: readonly Point[], along: number): number {
  let [low, high] = [0, 1];
  const rises = (points[3]?.[0] ?? 0) > (points[0]?.[0] ?? 0);
  for (let step = 0; step < 60; step++) {
    const t = (low + high) / 2;
    if (at(points, t)[0] < along === rises) low = t;
    else high = t;
  }
  return at(points, low)[1];
}

it('draws the very part of a way that is in view, from the end that is', () => {
  const far = fc.oneof(
    fc.double({ min: 801 + EDGE, max: 1e5, noNaN: true }),
    fc.double({ min: -1e5, max: -1 - EDGE, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 800, noNaN: true }),
      far,
      fc.boolean(),
      (near, away, swap) => {
        const [from, to]: [Point, Point] = swap
          ? [
              [100, away],
              [400, near],
            ]
          : [
              [100, near],
              [400, away],
            ];
        const whole = drawn((ground) => way(ground, from, to));
        const part = drawn((ground) => wayInView(ground, [0, 800], from, to));
        expect(part[0]).toEqual(swap ? to : from);
        expect(part[3]?.[1]).toBe(away < 0 ? -EDGE : 800 + EDGE);
        for (const t of [0.2, 0.5, 0.8]) {
          const [along, across] = at(part, t);
          expect(Math.abs(acrossAt(whole, along) - across)).toBeLessThan(
            1e-6 * Math.abs(away - near),
          );
        }
      },
    ),
  );
});

it('draws a way that is in view as it is', () => {
  const ends: [Point, Point] = [
    [0, 10],
    [50, 700],
  ];
  const whole = drawn((ground) => way(ground, ...ends));
  expect(drawn((ground) => wayInView(ground, [0, 800], ...ends))).toEqual(whole);
});
