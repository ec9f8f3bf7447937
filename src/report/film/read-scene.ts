/** The scene of a recording. */
import type { ConnectionRow, ExchangeRow } from '../../measure/rows.ts';
import { RecordingError } from '../../recording/error.ts';
import { readConnections, readExchanges } from '../../recording/recording.ts';
import { type RunData, readRunData, watchedLink } from '../run-data.ts';
import { momentsOf } from '../story/moments.ts';
import { type Scene, sceneOf } from './scene.ts';

/** More rows than this do not fit into a page; a film of a day would show nothing anyway. */
const ROWS_MAX = 3_000_000;

export interface ReadScene {
  readonly scene: Scene;
  /** The picture to show: see `worstSecond`. */
  readonly worstSecond: number;
}

/** Throws a RecordingError; also where there is too much, or only series, to draw. */
export async function readScene(folder: string): Promise<ReadScene> {
  const run = await readRunData(folder);
  const watched = watchedLink(run.info);
  if (watched === null) {
    throw new RecordingError('recording-incomplete', `${folder} has no link to show`);
  }
  const connections: ConnectionRow[] = [];
  for await (const rows of readConnections(folder)) connections.push(...rows);
  const exchanges: ExchangeRow[] = [];
  for await (const rows of readExchanges(folder)) {
    for (const row of rows) exchanges.push(row);
    if (exchanges.length > ROWS_MAX) {
      const text = `${folder} has more than ${ROWS_MAX} exchanges: too many for a film`;
      throw new RecordingError('recording-unreadable', text);
    }
  }
  const moments = momentsOf(run);
  return {
    scene: sceneOf({ info: run.info, connections, exchanges, watched, captions: moments }),
    worstSecond: worstSecond(run),
  };
}

/** Of the most that waited at a queue, or else were open, so much is still the worst. */
const NEARLY = 0.9;

/**
 * The last second in which nearly as many requests waited at a queue as ever did: by then what
 * caused it is over, and what is left is the state that it led to. Without a queue, or where
 * nobody waited, the same of the open connections.
 */
function worstSecond({ series, info }: RunData): number {
  const waiting = series.sum('hop:', 'waiting') ?? [];
  const open = series.get(`link:${watchedLink(info) ?? ''}`, 'open') ?? [];
  const values = waiting.some((value) => (value ?? 0) > 0) ? waiting : open;
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  const last = values.findLastIndex((value) => (value ?? 0) >= NEARLY * most);
  return (Math.max(last, 0) + 0.5) * series.step;
}
