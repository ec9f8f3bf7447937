/**
 * The pipeline view: a canvas that is painted as often as the browser shows pictures, while
 * something moves. Wheel or + and - open bundles, dragging moves, pointing tells about a pipe.
 * With the keyboard: left and right choose a link, up and down a connection on it.
 */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { count } from '../format.ts';
import { Legend } from '../legend.tsx';
import type { Shown } from '../model.ts';
import { pick } from './pick.ts';
import { ScenePainter } from './scene-painter.ts';

export function Pipeline({ shown, label }: { shown: Shown; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const perLine = useSignal(1);
  const hand = useRef<Hand | null>(null);
  useEffect(() => {
    if (canvas.current === null) return undefined;
    hand.current = new Hand(canvas.current, shown, (connections) => {
      perLine.value = connections;
    });
    return () => hand.current?.stop();
  }, [shown]);
  useSignalEffect(() => {
    // Whatever changes what is seen.
    shown.player.now.value;
    shown.version.value;
    shown.hovered.value;
    shown.chosen.value;
    shown.highlight.value;
    shown.player.until.value;
    hand.current?.changed();
  });
  const zoom = (factor: number) => () => hand.current?.zoom(factor);
  return (
    <div class="pipeline">
      <canvas ref={canvas} tabIndex={0} role="img" aria-label={label} />
      <div class="zoom">
        <span class="per-line">
          {perLine.value > 1
            ? `a line stands for up to ${count(perLine.value)}`
            : 'each line is a connection'}
        </span>
        <button type="button" aria-label="open the bundles (plus)" onClick={zoom(1.6)}>
          +
        </button>
        <button type="button" aria-label="close the bundles (minus)" onClick={zoom(1 / 1.6)}>
          −
        </button>
        <button type="button" aria-label="show all (0)" onClick={zoom(0)}>
          all
        </button>
      </div>
      <Legend />
    </div>
  );
}

/** What listens to pointer and keys, and paints. */
class Hand {
  readonly #canvas: HTMLCanvasElement;
  readonly #shown: Shown;
  readonly #painter: ScenePainter;
  readonly #sizes: ResizeObserver;
  readonly #gone = new AbortController();
  readonly #onPerLine: (connections: number) => void;
  #due = 0;
  #dragFrom: number | null = null;
  #moved = false;

  constructor(canvas: HTMLCanvasElement, shown: Shown, onPerLine: (connections: number) => void) {
    this.#onPerLine = onPerLine;
    this.#canvas = canvas;
    this.#shown = shown;
    this.#painter = new ScenePainter(canvas, shown);
    this.#sizes = new ResizeObserver(() => {
      this.#painter.resize(canvas.clientWidth, canvas.clientHeight);
      this.changed();
    });
    this.#sizes.observe(canvas);
    const { signal } = this.#gone;
    const colours = matchMedia('(prefers-color-scheme: dark)');
    colours.addEventListener('change', () => this.#recolour(), { signal });
    document.addEventListener('theme', () => this.#recolour(), { signal });
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
    canvas.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    canvas.addEventListener('pointermove', (event) => this.#move(event), { signal });
    canvas.addEventListener('pointerup', (event) => this.#up(event), { signal });
    canvas.addEventListener('pointerleave', () => this.#leave(), { signal });
    canvas.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  stop(): void {
    this.#gone.abort();
    this.#sizes.disconnect();
    cancelAnimationFrame(this.#due);
  }

  changed(): void {
    if (this.#due !== 0) return;
    this.#due = requestAnimationFrame(() => {
      this.#due = 0;
      this.#painter.paint();
      this.#onPerLine(Math.round(this.#painter.connectionsPerLine));
    });
  }

  /** 0 = show all. */
  zoom(factor: number): void {
    const { camera, layout } = this.#painter;
    if (factor === 0) camera.reset();
    else camera.zoomAt((layout.v0 + layout.v1) / 2, factor);
    this.changed();
  }

  #recolour(): void {
    this.#painter.recolour();
    this.changed();
  }

  /** Position along the flow, and across. */
  #position(event: PointerEvent | WheelEvent): [number, number] {
    const { left, top } = this.#canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    return this.#painter.layout.horizontal ? [x, y] : [y, x];
  }

  #wheel(event: WheelEvent): void {
    // Without a modifier the wheel scrolls the page, unless the view is zoomed already.
    if (!event.ctrlKey && !event.shiftKey && !event.metaKey && this.#painter.camera.zoom === 1)
      return;
    event.preventDefault();
    const [, across] = this.#position(event);
    const by = event.deltaY === 0 ? event.deltaX : event.deltaY;
    this.#painter.camera.zoomAt(across, Math.exp(-by / 300));
    this.changed();
  }

  #down(event: PointerEvent): void {
    [, this.#dragFrom] = this.#position(event);
    this.#moved = false;
  }

  #move(event: PointerEvent): void {
    const [along, across] = this.#position(event);
    if (this.#dragFrom !== null && event.buttons > 0) {
      const by = across - this.#dragFrom;
      if (Math.abs(by) > 3) this.#moved = true;
      if (this.#moved) {
        this.#painter.camera.move(by);
        this.#dragFrom = across;
        this.changed();
      }
      return;
    }
    const { bundles, camera } = this.#painter;
    const { snapshot } = this.#shown;
    this.#shown.hovered.value = pick({ bundles, camera, snapshot }, along, across);
    this.#canvas.style.cursor = this.#shown.hovered.value < 0 ? 'default' : 'pointer';
  }

  #up(event: PointerEvent): void {
    this.#dragFrom = null;
    if (this.#moved) return;
    const { bundles, camera } = this.#painter;
    const { snapshot } = this.#shown;
    this.#shown.chosen.value = pick({ bundles, camera, snapshot }, ...this.#position(event));
  }

  #leave(): void {
    this.#dragFrom = null;
    this.#shown.hovered.value = -1;
  }

  #key(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, () => void>> = {
      ArrowRight: () => this.#chooseLink(1),
      ArrowLeft: () => this.#chooseLink(-1),
      ArrowDown: () => this.#chooseOnLink(1),
      ArrowUp: () => this.#chooseOnLink(-1),
      '+': () => this.zoom(1.6),
      '-': () => this.zoom(1 / 1.6),
      '0': () => this.zoom(0),
      Escape: () => {
        this.#shown.chosen.value = -1;
      },
    };
    const step = steps[event.key];
    if (step === undefined) return;
    step();
    event.preventDefault();
    event.stopPropagation();
  }

  #chooseLink(by: number): void {
    const { story, chosen } = this.#shown;
    const { links } = story;
    const link = chosen.value < 0 ? -1 : story.connections.link.get(chosen.value);
    const at = links.findIndex((one) => one.index === link);
    const next = links[Math.min(Math.max(at + by, 0), links.length - 1)];
    chosen.value = this.#openOn(next?.index ?? 0)[0] ?? -1;
  }

  #chooseOnLink(by: number): void {
    const { story, chosen } = this.#shown;
    if (chosen.value < 0) {
      this.#chooseLink(1);
      return;
    }
    const open = this.#openOn(story.connections.link.get(chosen.value));
    const at = open.indexOf(chosen.value) + by;
    chosen.value = open[Math.min(Math.max(at, 0), open.length - 1)] ?? -1;
  }

  /** Connections of a link in the order in which they lie there. */
  #openOn(link: number): number[] {
    const { story, snapshot } = this.#shown;
    const { lane, group } = story.connections;
    const open = [...snapshot.index.subarray(0, snapshot.count)].filter(
      (one) => story.connections.link.get(one) === link,
    );
    return open.sort((x, y) => group.get(x) - group.get(y) || lane.get(x) - lane.get(y));
  }
}
