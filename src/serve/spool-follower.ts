/**
 * Makes the story of a live run out of the spools that its processes write anyway: following
 * costs the processes nothing, and this one nothing until somebody looks.
 */
import { Fold } from '../measure/fold.ts';
import type { RunInfo } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import { SpoolTail } from '../recording/spool-tail.ts';
import { byColumns, type EventVisitor } from '../stream/merge.ts';
import { groupsOf } from './recorded-run.ts';
import type { RunningRun } from './running-run.ts';
import { RunningStory } from './story/running-story.ts';

const LOOK_MS = 500;
/** Half a million events: a run that is looked at late is read in such steps. */
const SEGMENTS_PER_LOOK = 16;

export class SpoolFollower {
  readonly #tail: SpoolTail;
  readonly #run: RunningRun;
  readonly #info: () => RunInfo;
  #story: RunningStory | null = null;
  #visit: EventVisitor = () => {};
  #at: Micros = 0;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(folder: string, run: RunningRun, info: () => RunInfo) {
    this.#tail = new SpoolTail(folder);
    this.#run = run;
    this.#info = info;
  }

  /** Somebody looks. */
  begin(): void {
    if (this.#timer !== null || this.#ended) return;
    this.#timer = setTimeout(() => this.#again(), 0);
  }

  /** The processes have written everything: tells the rest. */
  async end(): Promise<void> {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#working;
    if (this.#story !== null) {
      while (await this.#look('last'));
    }
    this.#tail.close();
  }

  #again(): void {
    this.#working = this.#look('more').then(
      (more) => {
        if (!this.#ended) this.#timer = setTimeout(() => this.#again(), more ? 10 : LOOK_MS);
      },
      // The page goes without what cannot be read; the run goes on.
      () => {},
    );
  }

  async #look(isLast: 'last' | 'more'): Promise<boolean> {
    const info = this.#info();
    if (info.loadStart === 0) return false;
    this.#story ??= this.#begun(info);
    const more = await this.#tail.read(SEGMENTS_PER_LOOK, this.#visit, isLast);
    this.#run.tell(this.#story.look(this.#at), this.#story.kept);
    return more;
  }

  #begun(info: RunInfo): RunningStory {
    const story = new RunningStory({ loadStart: info.loadStart, groups: groupsOf(info) });
    const fold = new Fold(info, story.sinks);
    story.follows(fold);
    const visit = byColumns(fold.event);
    this.#visit = (process, sequence, block, row) => {
      const at = block.at[row] ?? 0;
      if (at > this.#at) this.#at = at;
      visit(process, sequence, block, row);
    };
    return story;
  }
}
