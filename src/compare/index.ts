/** Two runs, measure by measure: how far they are apart, and how far that is by chance. */
export {
  compareRuns,
  type Divergence,
  ksDistance,
  relativeDistance,
  type Side,
  unknownMeasures,
} from './divergence.ts';
export { type Observations, Observer } from './observations.ts';
