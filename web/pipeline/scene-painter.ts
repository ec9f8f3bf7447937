/** Draws one picture of the pipeline: what stands at a time, on a canvas of a size. */
import type { Shown } from '../model.ts';
import { Bundles } from './bundles.ts';
import { Camera } from './camera.ts';
import { DashFillings } from './dash-fillings.ts';
import { type Layout, makeLayout } from './layout.ts';
import { paintBoxes, paintHosts, paintLabels } from './paint-boxes.ts';
import { isOpen, linesOf, paintMeant, paintPipes, reach, type Scene } from './paint-pipes.ts';
import { type Palette, readPalette } from './palette.ts';
import { way } from './ways.ts';

/** A pipe opened wide enough to be seen and pointed at. */
const OPENED_PITCH = 6;
/** Half a pipe may look in from beyond the edge. */
const MARGIN = 8;

export class ScenePainter {
  readonly camera = new Camera();
  bundles: Bundles;
  layout: Layout;
  readonly #shown: Shown;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #palette: Palette;
  #dashes: DashFillings;

  constructor(canvas: HTMLCanvasElement, shown: Shown) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser has no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#shown = shown;
    this.#palette = readPalette(canvas);
    this.#dashes = new DashFillings(context, this.#palette, 'horizontal');
    this.layout = makeLayout(shown.story.face, 100, 100);
    this.bundles = new Bundles(shown.story, this.layout);
  }

  resize(width: number, height: number): void {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.layout = makeLayout(this.#shown.story.face, width, height);
    this.bundles = new Bundles(this.#shown.story, this.layout);
    this.camera.fit(this.layout.v0, this.layout.v1);
    this.recolour();
  }

  recolour(): void {
    this.#palette = readPalette(this.#canvas);
    const direction = this.layout.horizontal ? 'horizontal' : 'vertical';
    this.#dashes = new DashFillings(this.#context, this.#palette, direction);
  }

  /** Connections that a line stands for where it stands for most. */
  get connectionsPerLine(): number {
    return this.bundles.bundles.reduce(
      (most, bundle) => Math.max(most, bundle.count / linesOf(bundle, this.camera)),
      1,
    );
  }

  paint(): void {
    const { story, snapshot } = this.#shown;
    this.#shown.look();
    this.bundles.sort(snapshot);
    const thinnest = this.bundles.bundles.reduce((least, one) => Math.min(least, one.pitch), 7);
    this.camera.zoomMax = Math.max(8, OPENED_PITCH / thinnest);
    const { layout } = this;
    const { horizontal, width, height } = layout;
    const context = this.#context;
    context.clearRect(0, 0, width, height);
    const { bundles, camera } = this;
    const palette = this.#palette;
    const visible = [layout.v0 - MARGIN, layout.v1 + MARGIN] as const;
    const dashes = this.#dashes;
    const scene = {
      ...{
        context,
        horizontal,
        story,
        snapshot,
        bundles,
        camera,
        layout,
        palette,
        visible,
        dashes,
      },
    } satisfies Scene;
    context.save();
    context.beginPath();
    const top = camera.zoom > 1 ? layout.v0 : 0;
    if (horizontal) context.rect(0, top, width, height - top);
    else context.rect(top, 0, width - top, height);
    context.clip();
    paintHosts(scene, layout);
    paintPipes(scene);
    if (this.#shown.highlight.peek() !== null) paintMeant(scene, this.#shown.meant);
    const queues = paintBoxes(scene, layout);
    for (const one of [this.#shown.hovered.peek(), this.#shown.chosen.peek()]) {
      this.#paintChain(scene, one);
    }
    context.restore();
    paintLabels(scene, layout, queues);
  }

  /** A connection and all that relays have joined to it. */
  #paintChain(scene: Scene, connection: number): void {
    if (connection < 0) return;
    const { story, snapshot, bundles, camera, context, palette } = scene;
    const { connections } = story;
    context.strokeStyle = palette.accent;
    context.lineWidth = 3;
    let one = connections.headOf(connection);
    for (let hops = 0; one >= 0 && hops < 16; hops++) {
      const bundle = bundles.bundleOf(one);
      if (bundle !== undefined) {
        const at = snapshot.index.subarray(0, snapshot.count).indexOf(one);
        const cell = at < 0 ? -1 : (snapshot.cell[at] ?? -1);
        const [from, to] = bundles.endsOf(one, bundle, cell);
        context.beginPath();
        const begin = [bundle.from.u1, camera.at(from)] as const;
        way(scene, begin, [reach(bundle, cell), camera.at(to)]);
        if (at >= 0 || !isOpen(bundle, camera)) context.stroke();
      }
      one = connections.indexOf(connections.upstream.get(one));
    }
  }
}
