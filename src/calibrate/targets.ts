/**
 * What a calibration is asked: windows of simulated time, the parameters that nobody documents,
 * and the targets, each a range in which a measure of a window should lie. Targets to `fit` guide
 * the search; targets to `predict` are looked at when it is over, and never before.
 */
import type { Micros } from '../model/units.ts';

/** A stretch of simulated time, and how it is come by. */
export interface Window {
  readonly name: string;
  /** A document of its own, with its timeline; null = the topology that is calibrated. */
  readonly document: string | null;
  /** `path=value`, beside the parameters. */
  readonly set: readonly string[];
  /** The simulation begins at 0 of its load, and is looked at between these. */
  readonly from: Micros;
  readonly lasts: Micros;
  /** While searching; a fitted window is simulated once more in full for the table. */
  readonly scale: number;
  /** Too long to be lived through for other acceptable points than the best. */
  readonly once: boolean;
}

/** Values that a parameter may take. */
export type Range =
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | {
      readonly kind: 'between';
      readonly low: number;
      readonly high: number;
      readonly unit: 'number' | 'whole' | 'duration';
      readonly spacing: 'linear' | 'log';
    };

export interface Parameter {
  readonly path: string;
  readonly range: Range;
}

export const STATISTICS = ['mean', 'min', 'max', 'minutesAbove', 'minutesBelow'] as const;
export type Statistic = (typeof STATISTICS)[number];

export interface Target {
  readonly name: string;
  readonly window: string;
  /** `nlb.NewFlowCount`, `mobile.failed`, `apigw->nlb.opened`, `ec2.unevenness`; added up. */
  readonly measures: readonly string[];
  readonly statistic: Statistic;
  /** For minutesAbove and minutesBelow. */
  readonly bound: number | null;
  /** Only these minutes of the window, from 1, both included; null = all of it. */
  readonly minutes: readonly [number, number] | null;
  /** Divided by the mean of the same measure in this window; null = not. */
  readonly over: string | null;
  /** A constant that is not known, the same for all targets that name it; null = 1. */
  readonly factor: string | null;
  readonly low: number;
  readonly high: number;
  readonly weight: number;
  readonly use: 'fit' | 'predict';
  /** Why it is missed, where that was looked into; shown only when it is. */
  readonly note: string | null;
}

export interface Targets {
  readonly windows: readonly Window[];
  readonly parameters: readonly Parameter[];
  readonly targets: readonly Target[];
}
