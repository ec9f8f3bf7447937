/**
 * The page of a simulation that goes on. Its story is told from the beginning, because nothing
 * else keeps it, but for the requests, which are most of it: they are told once somebody looks.
 * Its address is printed when the simulation has taken a second: whatever is over sooner can only
 * be looked at as a recording.
 */
import type { Fold } from '../measure/fold.ts';
import type { RowSinks } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Micros } from '../model/units.ts';
import { groupsOf } from '../serve/recorded-run.ts';
import { RunningStory, type SeriesSource } from '../serve/story/running-story.ts';
import type { Simulation } from '../sim/simulation.ts';
import { controlHandler } from './control-handler.ts';
import { LivePage } from './live-page.ts';

const LOOK_MS = 500;
const OPENED_AFTER_MS = 1_000;

export class SimulationPage {
  readonly #recording: string | null;
  readonly #began = performance.now();
  #nextAt = LOOK_MS;
  #story: RunningStory | null = null;
  #simulation: Simulation | null = null;
  #hasConnections = false;
  /** Simulated time since which somebody looks. */
  #watchedFrom: Micros | null = null;
  #opening: Promise<void> | null = null;
  #page: LivePage | null = null;
  #marks = 0;

  /** `recording` is where it is kept, or null. */
  constructor(recording: string | null) {
    this.#recording = recording;
  }

  /** Where the rows of every connection and request go: for a fold, which `follows` then takes. */
  begins(simulation: Simulation): RowSinks {
    this.#simulation = simulation;
    const { loadStart, topology } = simulation.info([0]);
    this.#story = new RunningStory({
      loadStart,
      groups: groupsOf({ topology }),
      wantsRequests: () => this.#watchedFrom !== null,
    });
    return this.#story.sinks;
  }

  follows(fold: Fold): void {
    this.#hasConnections = true;
    this.#story?.follows(fold);
  }

  /** Of a simulation that counts by itself. */
  followsSeries(series: SeriesSource): void {
    this.#story?.followsSeries(series);
  }

  /** The simulation has come a step further. */
  step(): void {
    const elapsed = performance.now() - this.#began;
    if (elapsed < this.#nextAt) return;
    this.#nextAt = elapsed + LOOK_MS;
    if (elapsed >= OPENED_AFTER_MS) this.#opening ??= this.#open();
    this.#tell();
  }

  /** The load is over, and everything was told to the story. */
  async ended(summary: Summary): Promise<void> {
    await this.#opening;
    this.#tell();
    this.#page?.over(summary);
  }

  async stay(): Promise<void> {
    await this.#page?.stay();
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#page?.close();
  }

  #tell(): void {
    const [simulation, story] = [this.#simulation, this.#story];
    if (simulation === null || story === null) return;
    const parts = story.look(simulation.now);
    const { run } = this.#page ?? { run: null };
    run?.tell(parts, story.kept);
    if (simulation.marks.length > this.#marks) run?.tellFace();
    this.#marks = simulation.marks.length;
  }

  async #open(): Promise<void> {
    const simulation = this.#simulation;
    if (simulation === null) return;
    const info = (): RunInfo => simulation.info([0]);
    const { topology } = info();
    this.#page = await LivePage.open({
      name: topology.name,
      folder: null,
      recording: this.#recording,
      info,
      hasConnections: this.#hasConnections,
      requestsFrom: () => this.#watchedFrom ?? 0,
      onWatched: () => {
        this.#watchedFrom ??= simulation.now;
      },
      control: controlHandler(simulation, topology),
    });
  }
}
