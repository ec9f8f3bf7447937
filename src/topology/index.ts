/**
 * The topology document: YAML in, a resolved `Topology` or every problem out.
 *
 * This module loads zod and yaml (together about 150 ms): import it lazily where a command may
 * not need it. `units.ts`, `problem.ts`, `hash.ts`, `change.ts` and `explain.ts` need neither
 * and may be imported by themselves.
 */
export {
  CHANGEABLE,
  type Change,
  type ChangeValue,
  formatChange,
  parseSetting,
} from './change.ts';
export { TEXT_LENGTH_MAX } from './document.ts';
export { type Explained, explainSettings } from './explain.ts';
export { topologyHash } from './hash.ts';
export type { ShortOption } from './override.ts';
export {
  type ParsedTopology,
  type ParseOptions,
  type ParseResult,
  parseTopology,
} from './parse.ts';
export { FAULTS, isFault, parseAction } from './parse-action.ts';
export { formatProblems, type Problem } from './problem.ts';
export { type Effective, type Scaled, scaleTopology } from './scale.ts';
export { jsonSchema } from './schema.ts';
export { timeScaleTopology } from './time-scale.ts';
export { formatDuration, formatRate, formatSize, formatTimeOfDay } from './units.ts';
export { topologyDocument } from './write.ts';
