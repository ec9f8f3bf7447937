/** What a run must offer to be shown: recorded runs and running ones do. */
import type { RunFace } from './story/run-face.ts';
import type { SeriesFrames } from './story/tables.ts';

/** A part of a story: the names of the series to come, rows in a frame, or the face anew. */
export type StoryPart =
  | { readonly kind: 'names'; readonly names: SeriesFrames['names'] }
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'face'; readonly face: RunFace }
  /** What is left of the story cannot be told, and why. */
  | { readonly kind: 'trouble'; readonly text: string };

export interface PageRun {
  face(): RunFace;
  /** From the beginning; of a running run it goes on until that ends, or the signal aborts. */
  story(signal: AbortSignal): AsyncGenerator<StoryPart, void>;
  /** Takes a request as `waterhammer control` does; absent where nothing can be changed. */
  control?(request: unknown): Promise<{ readonly ok: boolean; readonly text: string }>;
}
