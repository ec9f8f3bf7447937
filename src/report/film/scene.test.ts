import { describe, expect, it } from 'vitest';
import { LIGHT } from '../palette.ts';
import { type Brush, paint } from './paint.ts';
import { below, headlineAt, type Scene, type SceneConnection, stateOf } from './scene.ts';

const connection = (more: Partial<SceneConnection>): SceneConnection => ({
  ...{ link: 0, host: 0, opened: 1, closed: 9, busy: [], held: [] },
  ...more,
});

const scene: Scene = {
  title: 'test',
  seconds: 20,
  hops: [
    { name: 'clients', column: 0, hosts: 0, slots: 0 },
    { name: 'queue', column: 1, hosts: 0, slots: 3 },
    { name: 'app', column: 2, hosts: 0, slots: 0 },
  ],
  links: [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
  ],
  connections: [
    connection({ busy: [2, 3] }),
    connection({ held: [2, 8] }),
    connection({ link: 1, busy: [2, 3] }),
  ],
  watched: { name: 'clients->queue', requests: [1, 2, 3, 12], opened: [1, 2] },
  slots: 3,
  captions: [{ second: 2, text: 'stall' }],
};

/** What was written and in which colours, in place of a canvas. */
class Recorder implements Brush {
  fillStyle: unknown = '';
  strokeStyle: unknown = '';
  lineWidth = 1;
  globalAlpha = 1;
  font = '';
  textAlign: unknown = '';
  readonly texts: string[] = [];
  readonly curves: unknown[] = [];
  readonly squares: unknown[] = [];
  fillRect(_x: number, y: number): void {
    if (y > 190 && y < 610) this.squares.push(this.fillStyle);
  }
  strokeRect(): void {}
  beginPath(): void {}
  moveTo(): void {}
  bezierCurveTo(): void {
    this.curves.push(this.strokeStyle);
  }
  stroke(): void {}
  fillText(text: string): void {
    this.texts.push(text);
  }
}

function painted(second: number): Recorder {
  const brush = new Recorder();
  paint(brush, scene, second, LIGHT);
  return brush;
}

describe('scene of a film', () => {
  it('knows the state of a connection at any time', () => {
    const one = connection({ busy: [2, 3, 5, 6], held: [7, 8] });
    const states = [0.9, 1, 2, 2.9, 3, 5.5, 7.5, 8, 9, 9.5, 9.7].map((at) => stateOf(one, at));
    expect(states).toEqual([
      ...[null, 'idle', 'active', 'active', 'idle', 'active', 'held', 'idle'],
      ...['closing', 'closing', null],
    ]);
  });

  it('gives the headline number of the last ten seconds', () => {
    expect(headlineAt(scene, 3)).toBe(1.5);
    expect(headlineAt(scene, 0.5)).toBeNull();
    expect(headlineAt(scene, 12)).toBeNull();
    expect(headlineAt(scene, 11.5)).toBe(2);
  });

  it('counts by halves as one does one by one', () => {
    const numbers = [1, 1, 2, 5, 5, 9];
    for (const value of [0, 1, 1.5, 5, 9, 10]) {
      expect(below(numbers, value)).toBe(numbers.filter((one) => one <= value).length);
    }
  });
});

describe('picture of a scene', () => {
  it('colours connections by state, and slots by who has them', () => {
    const { curves, squares, texts } = painted(2.5);
    expect(curves.filter((one) => one === LIGHT.active)).toHaveLength(2);
    expect(curves.filter((one) => one === LIGHT.held)).toHaveLength(1);
    expect(squares.filter((one) => one === LIGHT.active)).toHaveLength(1);
    expect(squares.filter((one) => one === LIGHT.line)).toHaveLength(2);
    expect(texts).toContain('1 of 3');
    expect(texts).toContain('1 wait');
    expect(texts).toContain('0:02   stall');
  });

  it('shows a taken slot without a request as idle, and later nothing', () => {
    expect(painted(4).squares.filter((one) => one === LIGHT.idle)).toHaveLength(1);
    expect(painted(15).curves).toEqual([]);
    expect(painted(15).texts).toContain('0 of 3');
  });
});
