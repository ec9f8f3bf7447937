/**
 * Reads a topology document: YAML -> `--set` -> habits -> schema -> checks across hops ->
 * `Topology` -> `--scale` -> `--time-scale`. Either everything is right, or every problem is
 * reported at once.
 */
import type { Topology } from '../model/topology.ts';
import { checkChain } from './check-chain.ts';
import { checkFaults } from './check-faults.ts';
import { checkHosts, checkProcesses } from './check-hosts.ts';
import { checkSettings } from './check-settings.ts';
import { checkTimeline } from './check-timeline.ts';
import { type Path, SourceDocument } from './document.ts';
import { makeOutline, type Report } from './outline.ts';
import { applyOverrides, type Override, overrideAt, type ShortOption } from './override.ts';
import { optionProblem, type Problem } from './problem.ts';
import { resolve, settingSources, withImplied } from './resolve.ts';
import { type Effective, scaleTopology } from './scale.ts';
import { documentSchema } from './schema.ts';
import { reportIssues } from './schema-issues.ts';
import { timeScaleTopology } from './time-scale.ts';

export interface ParseOptions {
  /** `path=value`, in the order given. */
  readonly set: readonly string[];
  /** Further settings that have options of their own. */
  readonly options?: readonly ShortOption[];
  /** Factor of size, 1 = as written. */
  readonly scale: number;
  /** Factor of time, 1 = as written; 0.1 makes a run ten times shorter. */
  readonly timeScale: number;
}

export interface ParsedTopology {
  readonly topology: Topology;
  readonly warnings: readonly string[];
  /** Where each setting's value comes from, by path; for `explainSettings`. */
  readonly sources: ReadonlyMap<string, string>;
  /** What `--scale` changed, for printing. */
  readonly effective: readonly Effective[];
}

export type ParseResult = ParsedTopology | { readonly problems: readonly Problem[] };

/**
 * Parses and validates a document. Never throws for what it says; `file` is only a name for
 * messages.
 */
export function parseTopology(text: string, file: string, options: ParseOptions): ParseResult {
  const document = new SourceDocument(text, file);
  const factors = checkFactors(options);
  if (!document.readable) return { problems: [...inOrder(document.problems, file), ...factors] };
  const overridden = applyOverrides(document.raw, options.set, options.options);
  const raw = withImplied(overridden.raw);
  const outline = makeOutline(raw);
  const found: Problem[] = [];
  const warnings: string[] = [];
  const locate = locator(document, overridden.overrides);
  const report: Report = (path, message, suggestion, place) => {
    found.push(locate(path, message, suggestion, place));
  };
  const warn: Report = (path, message, suggestion) => {
    const { file: where, line, column } = locate(path, message, suggestion);
    warnings.push(`${where}:${line}:${column}: warning: ${message}`);
  };
  const checked = documentSchema().safeParse(raw);
  if (!checked.success) reportIssues(raw, checked.error.issues, report);
  checkChain(outline, report);
  checkHosts(outline, report);
  checkProcesses(raw, outline, report);
  checkSettings(outline, report);
  checkTimeline(raw, outline, report, warn);
  checkFaults(raw, outline, report);
  const problems = inOrder([...document.problems, ...found], file);
  problems.push(...overridden.problems, ...factors);
  if (problems.length > 0 || !checked.success) return { problems };
  const topology = resolve(checked.data, outline, file);
  const sources = settingSources(topology, document, overridden.raw, overridden.overrides);
  const scaled = scaleTopology(topology, options.scale);
  return {
    topology: timeScaleTopology(scaled.topology, options.timeScale),
    warnings: [...warnings, ...scaled.warnings],
    sources,
    effective: scaled.effective,
  };
}

type Locate = (
  path: Path,
  message: string,
  suggestion: string | null,
  place?: 'key' | 'value',
) => Problem;

/** A problem with a value that an option wrote is one with that option, not with the file. */
function locator(document: SourceDocument, overrides: readonly Override[]): Locate {
  return (path, message, suggestion, place = 'value') => {
    const override = overrideAt(overrides, path);
    if (override === null) return document.problem(path, place, message, suggestion);
    const { option, text, valueColumn } = override;
    return optionProblem(option, text, valueColumn, message, suggestion);
  };
}

/** Those of the document by position, then those of options as given; each once. */
function inOrder(problems: readonly Problem[], file: string): Problem[] {
  const ofFile = problems.filter((one) => one.file === file);
  ofFile.sort((a, b) => a.line - b.line || a.column - b.column);
  const sorted = [...ofFile, ...problems.filter((one) => one.file !== file)];
  const same = (a: Problem, b: Problem): boolean =>
    a.file === b.file &&
    a.line === b.line &&
    a.column === b.column &&
    a.message === b.message &&
    a.lineText === b.lineText;
  return sorted.filter((one, index) => !sorted.slice(0, index).some((other) => same(one, other)));
}

const FACTOR_MIN = 1e-6;
const FACTOR_MAX = 1e6;

function checkFactors(options: ParseOptions): Problem[] {
  const problems: Problem[] = [];
  const check = (option: string, factor: number): void => {
    if (factor >= FACTOR_MIN && factor <= FACTOR_MAX) return;
    const message = `${factor} is not a factor between ${FACTOR_MIN} and ${FACTOR_MAX}`;
    problems.push(optionProblem(option, String(factor), 1, message, 'write a number such as 0.1'));
  };
  check('--scale', options.scale);
  check('--time-scale', options.timeScale);
  return problems;
}
