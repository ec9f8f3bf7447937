/** A brush that writes down what is painted: the film's picture as SVG, for a report. */
import { type Child, element, type Markup } from '../svg/element.ts';
import { type Brush, PICTURE, paint } from './paint.ts';
import type { Scene } from './scene.ts';

/** Beyond that a page grows large, and nobody tells lines apart. */
const CONNECTIONS_MAX = 3_000;

const COLOURS = {
  ...{ paper: 'var(--paper)', panel: 'var(--panel)', ink: 'var(--ink)', muted: 'var(--muted)' },
  ...{ line: 'var(--line)', active: 'var(--active)', idle: 'var(--idle)', held: 'var(--held)' },
  ...{ closing: 'var(--closing)', good: 'var(--good)', onAccent: 'var(--on-accent)' },
};

export function pipelineSvg(scene: Scene, second: number): Markup {
  const brush = new SvgBrush();
  const there = scene.connections.filter(
    ({ opened, closed }) => opened <= second && closed > second,
  );
  const step = Math.max(1, there.length / CONNECTIONS_MAX);
  const shown = there.filter((_, at) => Math.floor(at % step) === 0);
  paint(
    brush,
    { ...scene, connections: shown.length < there.length ? shown : there },
    second,
    COLOURS,
  );
  const { width, height } = PICTURE;
  return element(
    'svg',
    {
      class: 'fits',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': 'the pipeline',
    },
    brush.children,
  );
}

class SvgBrush implements Brush {
  fillStyle: unknown = '';
  strokeStyle: unknown = '';
  lineWidth = 1;
  globalAlpha = 1;
  font = '';
  textAlign: unknown = 'left';
  readonly children: Child[] = [];
  #path: string[] = [];

  fillRect(x: number, y: number, width: number, height: number): void {
    this.children.push(element('rect', { x, y, width, height, fill: String(this.fillStyle) }));
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    const stroke = String(this.strokeStyle);
    this.children.push(element('rect', { x, y, width, height, fill: 'none', stroke }));
  }

  beginPath(): void {
    this.#path = [];
  }

  moveTo(x: number, y: number): void {
    this.#path.push(`M${short(x)} ${short(y)}`);
  }

  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void {
    this.#path.push(`C${[a, b, c, d, x, y].map(short).join(' ')}`);
  }

  stroke(): void {
    if (this.#path.length === 0) return;
    const attributes = {
      d: this.#path.join(''),
      fill: 'none',
      stroke: String(this.strokeStyle),
      'stroke-width': this.lineWidth,
      'stroke-opacity': this.globalAlpha,
    };
    this.children.push(element('path', attributes));
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight = '400', size = '12'] = /^(\d+) (\d+)px/.exec(this.font) ?? [];
    const anchor = this.textAlign === 'center' ? 'middle' : 'start';
    const attributes = { x, y, fill: String(this.fillStyle), 'text-anchor': anchor };
    const font = { 'font-weight': weight, 'font-size': `${size}px` };
    this.children.push(element('text', { ...attributes, ...font }, text));
  }
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
