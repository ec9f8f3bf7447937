/**
 * A run that goes on, as pages see it. Parts of its story go to everybody who looks; when it has
 * ended, what was struck follows as a last face.
 */
import type { PageRun, StoryPart } from './page-run.ts';
import type { RunFace } from './story/run-face.ts';

export interface RunningOptions {
  readonly face: () => RunFace;
  readonly control?: Required<PageRun>['control'];
  /** The first page has come: until then nobody needs a story. */
  readonly onWatched?: () => void;
}

/** A page that has so many parts before it does not read: it gets no more. */
const WAITING_MAX = 256;

export class RunningRun implements PageRun {
  readonly #options: RunningOptions;
  readonly #watchers = new Set<Watcher>();
  #kept: readonly StoryPart[] = [];
  #isOver = false;

  constructor(options: RunningOptions) {
    this.#options = options;
  }

  async control(request: unknown): Promise<{ ok: boolean; text: string }> {
    const { control } = this.#options;
    if (this.#isOver || control === undefined) return { ok: false, text: 'nothing can be changed' };
    return control(request);
  }

  face(): RunFace {
    return this.#options.face();
  }

  /** @param kept everything told so far, these parts included */
  tell(parts: readonly StoryPart[], kept: readonly StoryPart[]): void {
    this.#kept = kept;
    for (const watcher of this.#watchers) watcher.take(parts);
  }

  /** Marks, or what is known of the run, have changed. */
  tellFace(): void {
    const face = this.face();
    for (const watcher of this.#watchers) watcher.take([{ kind: 'face', face }]);
  }

  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.tellFace();
    for (const watcher of this.#watchers) watcher.end();
  }

  async *story(signal: AbortSignal): AsyncGenerator<StoryPart, void> {
    const watcher = new Watcher(signal);
    watcher.take(this.#kept);
    this.#watchers.add(watcher);
    if (this.#isOver) watcher.end();
    this.#options.onWatched?.();
    try {
      yield { kind: 'face', face: this.face() };
      yield* watcher.parts();
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

/** One page's queue. */
class Watcher {
  #waiting: StoryPart[] = [];
  #wake: () => void = () => {};
  #begun = false;
  #ended = false;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.end(), { once: true });
  }

  take(parts: readonly StoryPart[]): void {
    // What was told before it came may be long; what comes later may not pile up.
    if (this.#waiting.length > WAITING_MAX && this.#begun) this.end();
    if (!this.#ended) this.#waiting.push(...parts);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *parts(): AsyncGenerator<StoryPart, void> {
    for (;;) {
      const ready = this.#waiting;
      this.#waiting = [];
      yield* ready;
      this.#begun = true;
      if (this.#signal.aborted || (this.#ended && this.#waiting.length === 0)) return;
      if (this.#waiting.length > 0) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
