/**
 * An hour of a live run as its page is told it, but as fast as the page takes it: two ticks a
 * second with rows of series, connections, slots and requests. A run of the golden connections
 * lends its face.
 */
import { makePlan } from '../../dist/model/plan.js';
import { runFace } from '../../dist/serve/story/run-face.js';
import {
  encodeConnections,
  encodeExchanges,
  encodeSlots,
  SeriesFrames,
  seriesCells,
} from '../../dist/serve/story/tables.js';
import { GOLDEN } from './golden-topology.mjs';

const TICKS = 7_200;
const TICK = 500_000;
const PER_TICK = 250;
const LIFE = 2_000_000;

export class HourOfTicks {
  requestsPerSecond = PER_TICK * 2;
  #state = 'running';
  #onQuarter;

  constructor(onQuarter) {
    this.#onQuarter = onQuarter;
  }

  face() {
    const plan = makePlan(GOLDEN, { externalClients: false });
    const info = {
      ...{ engine: 'live', version: 'bench', seed: 1, topology: GOLDEN, topologyHash: '', plan },
      ...{ endpoints: [], epoch: 0, loadStart: 0, loadEnd: null, censusAt: null, marks: [] },
      ...{ eventCounts: [], kernel: null, deaths: [], lab: null },
    };
    return runFace(info, {
      ...{ name: 'hour', state: this.#state, summary: null, recording: null },
      ...{ hasConnections: true, oneClientIn: 1, requestsFrom: 0 },
      ...{ controllable: false, changeable: [] },
    });
  }

  async *story() {
    const frames = new SeriesFrames();
    yield { kind: 'face', face: this.face() };
    for (let tick = 0; tick < TICKS; tick++) {
      yield* this.#tick(frames, tick);
      if ((tick + 1) % (TICKS / 4) === 0) await this.#onQuarter();
    }
    this.#state = 'over';
    yield { kind: 'face', face: this.face() };
  }

  *#tick(frames, tick) {
    const at = tick * TICK;
    const told = frames.names.length;
    const values = frames.frame(seriesCells(series(tick)));
    if (frames.names.length > told) yield { kind: 'names', names: frames.names.slice(told) };
    const frame = (bytes) => ({ kind: 'frame', frame: bytes });
    yield frame(values);
    const ids = Array.from({ length: PER_TICK }, (_, one) => tick * PER_TICK + one);
    const opened = ids.map((id) => connection(id, at, null));
    // Those of four ticks ago end.
    const closed = ids.map((id) => id - 4 * PER_TICK).filter((id) => id >= 0);
    const rows = closed.map((id) => connection(id, at - LIFE, at));
    yield frame(encodeConnections([...rows, ...opened], 0));
    const slots = [...changes(closed, at, 0), ...changes(ids, at, 2)];
    yield frame(encodeSlots(slots, 0));
    yield frame(
      encodeExchanges(
        ids.map((id) => exchange(id, at)),
        0,
        ['clients'],
      ),
    );
  }
}

/** A row a second of the series that a chain of three hops has. */
function series(tick) {
  if (tick % 2 === 1) return [];
  const scopes = {
    'link:clients->queue': ['open', 'opened', 'closed', 'exchanges', 'requestsPerNewConnection'],
    'link:queue->app': ['open', 'opened', 'closed', 'exchanges', 'requestsPerNewConnection'],
    'hop:queue': ['active', 'held', 'yielded', 'waiting', 'slotUtilisation', 'hoardedSlotSeconds'],
    'clients:clients': ['ok', 'failed', 'attempts', 'latencyP50Ms', 'latencyP99Ms', 'retries'],
  };
  return Object.entries(scopes).flatMap(([scope, measures]) =>
    measures.map((measure) => ({ second: tick / 2, scope, measure, value: 100 + (tick % 17) })),
  );
}

function connection(id, openedAt, closedAt) {
  return {
    ...{ connection: id + 1, link: 0, connectorInstance: 0, acceptorInstance: 1 },
    ...{ connectorAddress: null, acceptorAddress: null, openedAt, closedAt },
    ...{ closedBy: closedAt === null ? null : 'peer_fin', exchanges: 1, waitedMax: 0 },
    ...{ upstreamConnection: null, downstreamConnection: null },
  };
}

function changes(ids, at, state) {
  return ids.map((id) => ({ connection: id + 1, at, state }));
}

function exchange(id, at) {
  return {
    ...{ connection: id + 1, ordinal: 1, startedAt: at, readAt: at, endedAt: at + 5_000 },
    ...{ status: 200, parentConnection: null, parentOrdinal: null, clientGroup: 'clients' },
    ...{ client: id % 60, request: id, attempt: 1 },
  };
}
