/**
 * A calibration, from its targets to what may be said afterwards:
 *
 *   search on the fitted windows, from the topology's own settings ─► the best point
 *     ─► each parameter alone, through its range ─► profile
 *     ─► fitted windows in full, predicted windows ─► targets met and missed
 *     ─► predicted windows at other acceptable points ─► how firm the predictions are
 *
 * Predicted windows are not looked at before the search is over. The parameters are the same in
 * all windows: between them only what a window's own document or settings say is different.
 */

import { settingsAt, stepsOf } from './parameter.ts';
import type { ParameterProfile } from './profile.ts';
import { alternatives, type Evaluated, type Pair, pairs, profile } from './profile.ts';
import { type Judgement, judge } from './score.ts';
import { type Point, search } from './search.ts';
import type { Task, TaskResult } from './simulate-window.ts';
import type { Targets, Window } from './targets.ts';
import type { WindowValues } from './window-values.ts';

export interface Document {
  readonly text: string;
  readonly file: string;
}

export interface CalibrationOptions {
  readonly targets: Targets;
  /** By name as the windows have it; null is the topology itself. */
  readonly documents: ReadonlyMap<string | null, Document>;
  readonly seed: number;
  /** The topology's own settings, where they are within the parameters' ranges. */
  readonly own: Point | null;
  /** Points of the search; 0 = the topology is judged as it stands. */
  readonly evaluations: number;
  /** Other acceptable points at which predictions are made too. */
  readonly alternatives: number;
  /** Simulates windows, in parallel; null = interrupted. */
  readonly run: (tasks: readonly Task[]) => Promise<readonly TaskResult[] | null>;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly phase: 'searching' | 'profiling' | 'predicting';
  readonly points: number;
  readonly of: number;
  readonly score: number | null;
}

export interface Alternative {
  readonly settings: readonly string[];
  readonly judgement: Judgement;
}

/** A fitted target that the best point misses: what all points of the search say of it. */
export interface Missed {
  readonly name: string;
  readonly window: string;
  /** Points that meet it, whatever else they miss. */
  readonly metAt: number;
  /** What the point showed that came nearest; null = no run tells. */
  readonly nearest: number | null;
}

export interface Calibration {
  /** It was ended early: what there was then. */
  readonly interrupted: boolean;
  readonly evaluations: number;
  /** Points that meet all fitted targets. */
  readonly acceptable: number;
  readonly settings: readonly string[];
  readonly judgement: Judgement;
  readonly missed: readonly Missed[];
  readonly parameters: readonly ParameterProfile[];
  readonly pairs: readonly Pair[];
  readonly alternatives: readonly Alternative[];
}

const STEPS_ALONE = 7;
const FIRST_SHARE = 0.4;

/** null when not even one point was simulated. */
export async function calibrate(options: CalibrationOptions): Promise<Calibration | null> {
  const work = new Work(options);
  await work.search();
  const best = work.best();
  if (best === null) return null;
  const alone = await work.scanAlone(best.point);
  const judgement = await work.finalJudgement(best.point);
  const others = await work.elsewhere(alternatives(best.point, work.all, options.alternatives));
  const { parameters } = options.targets;
  return {
    interrupted: work.interrupted,
    evaluations: work.all.length,
    acceptable: work.all.filter(({ met }) => met).length,
    settings: settingsAt(parameters, best.point),
    judgement: judgement ?? best.judgement,
    missed: missedOf(judgement ?? best.judgement, work.all),
    parameters: profile(parameters, best.point, work.all, alone),
    pairs: pairs(parameters, work.all),
    alternatives: others,
  };
}

function missedOf({ judged }: Judgement, all: readonly Known[]): Missed[] {
  return judged
    .filter(({ met, target }) => !met && target.use === 'fit')
    .map(({ target }) => {
      const seen = all.flatMap((one) => one.judgement.judged.filter((j) => j.target === target));
      const known = seen.filter(({ simulated }) => simulated !== null);
      known.sort((a, b) => Math.abs(a.error) - Math.abs(b.error));
      return {
        name: target.name,
        window: target.window,
        metAt: seen.filter(({ met }) => met).length,
        nearest: known[0]?.simulated ?? null,
      };
    });
}

interface Known extends Evaluated {
  readonly judgement: Judgement;
}

class Work {
  readonly all: Known[] = [];
  interrupted = false;
  readonly #options: CalibrationOptions;
  readonly #fitted: readonly Window[];
  readonly #predicted: readonly Window[];
  readonly #fitValues = new Map<string, ReadonlyMap<string, WindowValues>>();

  constructor(options: CalibrationOptions) {
    const { targets, windows } = options.targets;
    const usedBy = (use: 'fit' | 'predict'): Set<string> =>
      new Set(
        targets
          .filter((target) => target.use === use)
          .flatMap(({ window, over }) => (over === null ? [window] : [window, over])),
      );
    const fitted = usedBy('fit');
    const predicted = usedBy('predict');
    this.#options = options;
    this.#fitted = windows.filter(({ name }) => fitted.has(name));
    this.#predicted = windows.filter(({ name }) => predicted.has(name) && !fitted.has(name));
  }

  /** A point that meets all is better than one that misses something by a hair. */
  best(): Known | null {
    const met = this.all.filter((one) => one.met);
    const [first, ...others] = met.length > 0 ? met : this.all;
    if (first === undefined) return null;
    return others.reduce((best, one) => (one.score < best.score ? one : best), first);
  }

  async search(): Promise<void> {
    const { seed, evaluations, targets, own } = this.#options;
    if (evaluations === 0) {
      if (own !== null) await this.#evaluate([own], 'searching', 1);
      return;
    }
    await search({
      start: own === null ? [] : [own],
      dimensions: targets.parameters.length,
      seed,
      first: Math.ceil(evaluations * FIRST_SHARE),
      most: evaluations,
      keyOf: (point) => settingsAt(targets.parameters, point).join(' '),
      scores: async (points) => {
        const found = await this.#evaluate(points, 'searching', evaluations);
        return found?.map(({ score }) => score) ?? null;
      },
    });
  }

  /** Each parameter through its range, the others at the best point. */
  async scanAlone(best: Point): Promise<readonly (readonly Evaluated[])[]> {
    const { parameters } = this.#options.targets;
    if (this.#options.evaluations === 0) return [];
    const scans: Evaluated[][] = [];
    for (const [index, { range }] of parameters.entries()) {
      const points = stepsOf(range, STEPS_ALONE).map((place) =>
        best.map((own, other) => (other === index ? place : own)),
      );
      const own = this.best();
      const found = this.interrupted ? null : await this.#evaluate(points, 'profiling', null);
      scans.push([...(found ?? []), ...(own === null ? [] : [{ ...own, point: best }])]);
    }
    return scans;
  }

  /** Fitted windows in full size, and what is predicted. */
  async finalJudgement(best: Point): Promise<Judgement | null> {
    if (this.interrupted) return null;
    const fitted = this.#fitted.map((window) => ({ ...window, scale: 1 }));
    const shown = await this.#simulate(best, [...fitted, ...this.#predicted]);
    return shown === null ? null : judge(this.#options.targets.targets, shown);
  }

  async elsewhere(points: readonly Point[]): Promise<Alternative[]> {
    const { targets, parameters } = this.#options.targets;
    const found: Alternative[] = [];
    const windows = this.#predicted.filter(({ once }) => !once);
    for (const point of windows.length === 0 ? [] : points) {
      const shown = this.interrupted ? null : await this.#simulate(point, windows);
      if (shown === null) break;
      const settings = settingsAt(parameters, point);
      const own = this.#fitValues.get(settings.join(' ')) ?? new Map();
      const judgement = judge(targets, new Map([...own, ...shown]));
      found.push({ settings, judgement });
    }
    return found;
  }

  async #simulate(
    point: Point,
    windows: readonly Window[],
  ): Promise<ReadonlyMap<string, WindowValues> | null> {
    this.#progress('predicting', null);
    const results = await this.#options.run(windows.map((window) => this.#task(window, point)));
    this.interrupted ||= results === null;
    return results === null ? null : byWindow(windows, results);
  }

  async #evaluate(
    points: readonly Point[],
    phase: Progress['phase'],
    of: number | null,
  ): Promise<readonly Known[] | null> {
    this.#progress(phase, of);
    const fitted = this.#fitted;
    const tasks = points.flatMap((point) => fitted.map((window) => this.#task(window, point)));
    const results = await this.#options.run(tasks);
    if (results === null) {
      this.interrupted = true;
      return null;
    }
    const known = points.map((point, index): Known => {
      const own = results.slice(index * fitted.length, (index + 1) * fitted.length);
      const shown = byWindow(fitted, own);
      this.#fitValues.set(settingsAt(this.#options.targets.parameters, point).join(' '), shown);
      const judgement = judge(this.#options.targets.targets, shown);
      return { point, score: judgement.score, met: judgement.met, judgement };
    });
    this.all.push(...known);
    return known;
  }

  #task({ document, name, set, scale, from, lasts }: Window, point: Point): Task {
    const { documents, targets, seed } = this.#options;
    const found = documents.get(document);
    if (found === undefined) throw new Error(`the document of window ${name} was not read`);
    const measures = targets.targets
      .filter(({ window, over }) => window === name || over === name)
      .flatMap((target) => target.measures);
    return {
      document: found.text,
      file: found.file,
      set: [...settingsAt(targets.parameters, point), ...set],
      scale,
      seed,
      from,
      lasts,
      measures: [...new Set(measures)],
    };
  }

  #progress(phase: Progress['phase'], of: number | null): void {
    const score = this.best()?.score ?? null;
    this.#options.onProgress({ phase, points: this.all.length, of: of ?? this.all.length, score });
  }
}

function byWindow(
  windows: readonly Window[],
  results: readonly TaskResult[],
): ReadonlyMap<string, WindowValues> {
  const found = new Map<string, WindowValues>();
  windows.forEach(({ name }, index) => {
    const result = results[index];
    if (result === undefined) return;
    if ('problems' in result) throw new Error(result.problems[0]?.message ?? 'a bad document');
    found.set(name, result.values);
  });
  return found;
}
