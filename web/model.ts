/** What the parts of the page share: the runs shown, the time, and what is pointed at. */
import { effect, signal } from '@preact/signals';
import type { Finding } from '../src/model/summary.ts';
import type { RunFace } from '../src/serve/story/run-face.ts';
import { follow } from './data/load.ts';
import { type MeantTime, meantIn } from './data/meant.ts';
import { Snapshot } from './data/snapshot.ts';
import { Story } from './data/story.ts';
import { Player } from './player.ts';

const CHARTED_MS = 500;
/** What is loaded is charted less and less often: each time there is more to draw. */
const CHARTED_RATIO = 1.5;

/** A finding that is shown, with the seconds it means. */
export interface Highlight extends MeantTime {
  readonly finding: Finding;
}

export class Shown {
  readonly number: number;
  readonly story: Story;
  readonly player: Player;
  readonly snapshot: Snapshot;
  /** Grows when rows have come. */
  readonly version = signal(0);
  /** The same, but no more than twice a second: charts are made anew with it. */
  readonly charted = signal(0);
  readonly face = signal<RunFace>(null as unknown as RunFace);
  /** Index of the connection that is pointed at, and of the one that was chosen; -1 = none. */
  readonly hovered = signal(-1);
  readonly chosen = signal(-1);
  /** By position in the snapshot: 1 = what is highlighted means it. */
  meant = new Uint8Array(0);
  readonly highlight = signal<Highlight | null>(null);
  readonly trouble = signal<string | null>(null);
  readonly loaded = signal(false);
  /** Grows when the snapshot shows something else. */
  readonly seen = signal(0);
  #seenAt = 0;
  #chartedAt = 0;
  #chartedMs = CHARTED_MS;
  /** Number of the chosen connection in the run: indexes change when some are forgotten. */
  #chosenId = -1;

  constructor(number: number, face: RunFace) {
    this.number = number;
    this.story = new Story(face);
    this.player = new Player(this.story);
    this.snapshot = new Snapshot(this.story);
    this.face.value = face;
    effect(() => {
      this.#chosenId = this.story.connections.id.get(this.chosen.value);
    });
  }

  /**
   * Takes the snapshot of the time that is looked at. Text and tables follow it four times a
   * second while time passes, and at once when somebody goes elsewhere.
   */
  look(): void {
    const { player, snapshot } = this;
    snapshot.take(player.now.peek(), player.shutter);
    this.#mark();
    const due = performance.now() - this.#seenAt > 250 || !player.playing.peek();
    if (!due) return;
    this.#seenAt = performance.now();
    queueMicrotask(() => {
      this.seen.value += 1;
    });
  }

  async load(): Promise<void> {
    const { story, player } = this;
    const live = story.face.state === 'running';
    try {
      await follow(this.number, story, () => {
        this.version.value += 1;
        this.#findChosen();
        if (performance.now() - this.#chartedAt > this.#chartedMs) {
          this.#chart();
          if (!live) this.#chartedMs *= CHARTED_RATIO;
        }
        if (this.face.value !== story.face) this.face.value = story.face;
        player.until.value = story.until;
      });
    } catch (thrown) {
      this.trouble.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
    this.loaded.value = true;
    this.#chart();
    if (live) this.#over();
  }

  #mark(): void {
    const { snapshot, story } = this;
    if (this.meant.length < snapshot.count) this.meant = new Uint8Array(snapshot.index.length);
    this.meant.fill(0);
    const highlight = this.highlight.peek();
    if (highlight === null) return;
    const isMeant = meantIn(story, snapshot, highlight.finding);
    for (let at = 0; at < snapshot.count; at++) this.meant[at] = isMeant(at) ? 1 : 0;
  }

  #findChosen(): void {
    const { connections } = this.story;
    if (connections.id.get(this.chosen.value) === this.#chosenId) return;
    this.hovered.value = -1;
    this.chosen.value = connections.indexOf(this.#chosenId);
  }

  #chart(): void {
    this.charted.value += 1;
    this.#chartedAt = performance.now();
  }

  /** The run has ended, or its program has: what is here stays. */
  #over(): void {
    const { story } = this;
    story.face = { ...story.face, state: 'over', controllable: false };
    this.face.value = story.face;
    this.player.following.value = false;
  }
}
