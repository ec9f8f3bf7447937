/** The ways of pipes: curves from one point along and across to another. */

/** Along the flow, across it. */
export type Point = readonly [number, number];

export interface Ground {
  readonly context: CanvasRenderingContext2D;
  readonly horizontal: boolean;
}

/** So far beyond the view ways are drawn, so that none is seen to end. */
export const EDGE = 40;

export function way(ground: Ground, from: Point, to: Point, begin: 'move' | 'join' = 'move'): void {
  const middle = (from[0] + to[0]) / 2;
  curve(ground, from, [middle, from[1]], [middle, to[1]], to, begin);
}

/**
 * Of a way with one end in view the part that is in view. Far inside a bundle that is opened a
 * hundred times, the rest would be a curve of a hundred screens, and its dashes thousands.
 */
export function wayInView(
  ground: Ground,
  visible: readonly [number, number],
  from: Point,
  to: Point,
): void {
  const [least, most] = [visible[0] - EDGE, visible[1] + EDGE];
  const leaves = to[1] < least || to[1] > most;
  if (!leaves && from[1] >= least && from[1] <= most) {
    way(ground, from, to);
    return;
  }
  const [inside, outside] = leaves ? [from, to] : [to, from];
  const [u0, v0] = inside;
  const [u1, v1] = outside;
  const bound = v1 < least ? least : most;
  // Across it goes as 3t^2 - 2t^3, which is solved for t here; then de Casteljau's first part.
  const t = 0.5 - Math.sin(Math.asin(1 - (2 * (bound - v0)) / (v1 - v0)) / 3);
  const middle = (u0 + u1) / 2;
  const rest = 1 - t;
  const second = rest * rest * u0 + (1 - rest * rest) * middle;
  const last = rest ** 3 * u0 + 3 * t * rest * middle + t ** 3 * u1;
  curve(
    ground,
    inside,
    [u0 + t * (middle - u0), v0],
    [second, v0 + t * t * (v1 - v0)],
    [last, bound],
    'move',
  );
}

function curve(
  { context, horizontal }: Ground,
  [u0, v0]: Point,
  [u1, v1]: Point,
  [u2, v2]: Point,
  [u3, v3]: Point,
  begin: 'move' | 'join',
): void {
  if (horizontal) {
    if (begin === 'move') context.moveTo(u0, v0);
    else context.lineTo(u0, v0);
    context.bezierCurveTo(u1, v1, u2, v2, u3, v3);
    return;
  }
  if (begin === 'move') context.moveTo(v0, u0);
  else context.lineTo(v0, u0);
  context.bezierCurveTo(v1, u1, v2, u2, v3, u3);
}
