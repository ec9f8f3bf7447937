/**
 * `waterhammer calibrate`: fits what nobody documents to what was measured in calm, and says what
 * follows for the rest: how well each target is met, and what the data cannot tell apart.
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Calibration, calibrate, type Document } from '../calibrate/calibrate.ts';
import { ownPoint } from '../calibrate/own-point.ts';
import { settingsAt } from '../calibrate/parameter.ts';
import { readTargets } from '../calibrate/read-targets.ts';
import type { Point } from '../calibrate/search.ts';
import { knownMeasures, parseTask } from '../calibrate/simulate-window.ts';
import type { Targets } from '../calibrate/targets.ts';
import { WorkerPool } from '../calibrate/worker-pool.ts';
import { SourceDocument } from '../topology/document.ts';
import { formatProblems, type Problem, parseTopology, topologyHash } from '../topology/index.ts';
import { didYouMeanOr } from '../topology/suggest.ts';
import { CalibrationProgress } from './calibration-progress.ts';
import { calibrationText } from './calibration-text.ts';
import { ExitCode } from './exit-code.ts';
import { onInterrupt } from './interruption.ts';
import { readDocument } from './read-document.ts';
import { version } from './version.ts';

export interface CalibrateOptions {
  readonly targets: string;
  readonly evaluations: number;
  readonly alternatives: number;
  readonly workers?: number;
  readonly seed: number;
  readonly json?: boolean;
}

export async function calibrateCommand(file: string, options: CalibrateOptions): Promise<number> {
  const text = await readDocument(options.targets);
  const targets = readTargets(text, options.targets);
  if ('problems' in targets) return refused(targets.problems);
  const documents = await documentsOf(file, options.targets, targets);
  const problems = problemsOf(targets, documents, options.seed);
  if (problems.length > 0) return refused(problems);
  const source = new SourceDocument(text, options.targets);
  const unknown = unknownMeasures(targets, documents, source);
  if (unknown.length > 0) return refused(unknown);
  const interruption = onInterrupt();
  const { signal } = interruption;
  const pool = new WorkerPool(options.workers ?? Math.max(1, availableParallelism() - 1));
  const progress = new CalibrationProgress(process.stderr);
  try {
    const found = await calibrate({
      targets,
      documents,
      seed: options.seed,
      own: ownOf(targets, documents),
      evaluations: options.evaluations,
      alternatives: options.alternatives,
      run: (tasks) => pool.all(tasks, signal, (result) => progress.simulated(result)),
      onProgress: (one) => progress.at(one),
    });
    progress.over();
    if (found === null) return ExitCode.interrupted;
    print(found, file, documents, options);
    if (found.interrupted) return ExitCode.interrupted;
    return found.judgement.met ? ExitCode.done : ExitCode.failed;
  } finally {
    pool.close();
    interruption.stop();
  }
}

function print(
  found: Calibration,
  file: string,
  documents: ReadonlyMap<string | null, Document>,
  { json, seed }: CalibrateOptions,
): void {
  const parsed = parseTopology(documents.get(null)?.text ?? '', file, {
    set: found.settings,
    scale: 1,
    timeScale: 1,
  });
  const topology =
    'problems' in parsed
      ? null
      : { name: parsed.topology.name, hash: topologyHash(parsed.topology) };
  const document = { version, seed, topology, ...found };
  process.stdout.write(
    json === true ? `${JSON.stringify(document, null, 2)}\n` : calibrationText(found),
  );
}

/** Where the search begins. */
function ownOf(
  { parameters }: Targets,
  documents: ReadonlyMap<string | null, Document>,
): Point | null {
  const { text, file } = documents.get(null) ?? { text: '', file: '' };
  const parsed = parseTopology(text, file, { set: [], scale: 1, timeScale: 1 });
  return 'problems' in parsed ? null : ownPoint(parameters, parsed.topology);
}

/** The topology, and those that windows name, beside the targets file. */
async function documentsOf(
  file: string,
  targetsFile: string,
  { windows }: Targets,
): Promise<ReadonlyMap<string | null, Document>> {
  const documents = new Map<string | null, Document>();
  documents.set(null, { file, text: await readDocument(file) });
  for (const { document } of windows) {
    if (document === null || documents.has(document)) continue;
    const place = path.join(path.dirname(targetsFile), document);
    documents.set(document, { file: place, text: await readDocument(place) });
  }
  return documents;
}

/** Every window is parsed at both corners of the parameters, so that all problems come at once. */
function problemsOf(
  { windows, parameters }: Targets,
  documents: ReadonlyMap<string | null, Document>,
  seed: number,
): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { document, set, scale, from, lasts } of windows) {
    for (const corner of [0, 1]) {
      const found = documents.get(document);
      const parsed = parseTask({
        document: found?.text ?? '',
        file: found?.file ?? '',
        set: [
          ...settingsAt(
            parameters,
            parameters.map(() => corner),
          ),
          ...set,
        ],
        scale,
        seed,
        from,
        lasts,
        measures: [],
      });
      if (!('problems' in parsed)) continue;
      for (const one of parsed.problems) problems.set(JSON.stringify(one), one);
    }
  }
  return [...problems.values()];
}

/** Measures that no run of the window's document has: a search for them would find nothing. */
function unknownMeasures(
  { windows, targets }: Targets,
  documents: ReadonlyMap<string | null, Document>,
  source: SourceDocument,
): Problem[] {
  const known = new Map<string | null, ReadonlySet<string>>();
  for (const [name, { text, file }] of documents) {
    const task = { document: text, file, set: [], scale: 1, seed: 1, from: 0, lasts: 0 };
    known.set(name, knownMeasures({ ...task, measures: [] }));
  }
  return targets.flatMap(({ window, measures }, index) => {
    const document = windows.find(({ name }) => name === window)?.document ?? null;
    const all = [...(known.get(document) ?? [])];
    return measures
      .filter((measure) => !all.includes(measure))
      .map((measure) => {
        const of = measure.slice(0, measure.lastIndexOf('.') + 1);
        const near = all.filter((one) => one.startsWith(of));
        const hint = didYouMeanOr(measure, near.length > 0 ? near : all, 'there are');
        const message = `there is no measure "${measure}"`;
        return source.problem(['targets', index, 'measure'], 'value', message, hint);
      });
  });
}

function refused(problems: readonly Problem[]): number {
  process.stderr.write(formatProblems(problems));
  return ExitCode.badInput;
}
