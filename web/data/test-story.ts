/** For tests only: a story of the measures' test chain, told as a server would. */
import type { SecondRow } from '../../src/measure/rows.ts';
import { testTopology } from '../../src/measure/test-topology.ts';
import { makePlan } from '../../src/model/plan.ts';
import { runFace } from '../../src/serve/story/run-face.ts';
import { SeriesFrames, seriesCells } from '../../src/serve/story/tables.ts';
import { Story } from './story.ts';

export function testStory({ seconds, hosts = 2 }: { seconds: number; hosts?: number }): Story {
  const topology = testTopology({ hosts });
  const plan = makePlan(topology, { externalClients: false });
  const info = {
    ...{ engine: 'sim' as const, version: 'test', seed: 1, topology, topologyHash: '', plan },
    ...{ endpoints: [], epoch: 0, loadStart: 0, loadEnd: seconds * 1e6, censusAt: null },
    ...{ marks: [], eventCounts: [], kernel: null, deaths: [], lab: null },
  };
  return new Story(
    runFace(info, {
      ...{ name: 'test', state: 'over', summary: null, recording: null, hasConnections: true },
      ...{ oneClientIn: 1, requestsFrom: 0, controllable: false, changeable: [] },
    }),
  );
}

/** Tells rows of series to a story; the names are those told so far. */
export class SeriesTeller {
  readonly #story: Story;
  readonly #frames = new SeriesFrames();

  constructor(story: Story) {
    this.#story = story;
  }

  tell(rows: readonly SecondRow[]): void {
    const told = this.#frames.names.length;
    const frame = this.#frames.frame(seriesCells(rows));
    this.#story.names(this.#frames.names.slice(told));
    this.#story.frame(frame);
    this.#story.settle();
  }
}
