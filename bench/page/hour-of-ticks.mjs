/**
 * An hour of a live run as its page is told it, but as fast as the page takes it: two ticks a
 * second with rows of series, connections, slots and requests. A run of the golden connections
 * lends its face.
 */
import { makePlan } from '../../dist/model/plan.js';
import { decodeFrame } from '../../dist/serve/story/frame.js';
import { runFace } from '../../dist/serve/story/run-face.js';
import {
  encodeConnections,
  encodeExchanges,
  encodeSlots,
  SeriesFrames,
  STORY_TABLES,
  seriesCells,
} from '../../dist/serve/story/tables.js';
import { GOLDEN } from './golden-topology.mjs';

const TICKS = 7_200;
const TICK = 500_000;
const PER_TICK = 250;
const LIFE = 2_000_000;
const IDS = Array.from({ length: PER_TICK }, (_, id) => id);

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
    const series = new SeriesFrames();
    const rows = new Rows();
    yield { kind: 'face', face: this.face() };
    for (let tick = 0; tick < TICKS; tick++) {
      const values = series.frame(seriesCells(seriesAt(tick)));
      if (tick === 0) yield { kind: 'names', names: series.names };
      for (const frame of [values, ...rows.next()]) yield { kind: 'frame', frame };
      if ((tick + 1) % (TICKS / 4) === 0) await this.#onQuarter();
    }
    this.#state = 'over';
    yield { kind: 'face', face: this.face() };
  }
}

/**
 * Frames of a tick, encoded once: each tick has those of the last, a tick later and with the next
 * numbers. What makes the hour must not cost more than the page that is measured.
 */
class Rows {
  #tick = 0;
  #opening = [
    encodeConnections(
      IDS.map((id) => connection(id, 0, null)),
      0,
    ),
  ];
  #closing = [
    encodeConnections(
      IDS.map((id) => connection(id, 0, LIFE)),
      0,
    ),
  ];

  constructor() {
    this.#opening.push(encodeSlots(changes(2), 0));
    this.#opening.push(encodeExchanges(IDS.map(exchange), 0, ['clients']));
    this.#closing.push(encodeSlots(changes(0), 0));
    for (const frame of this.#closing) shift(frame, ['at'], LIFE);
  }

  next() {
    this.#tick += 1;
    if (this.#tick > 1) later(this.#opening);
    // What opened so long ago ends.
    const age = this.#tick - LIFE / TICK;
    if (age > 1) later(this.#closing);
    return age > 0 ? [...this.#closing, ...this.#opening] : this.#opening;
  }
}

function later(frames) {
  for (const frame of frames) {
    shift(frame, ['at', 'openedAt', 'closedAt', 'startedAt', 'readAt', 'endedAt'], TICK);
    shift(frame, ['connection', 'request'], PER_TICK);
  }
}

/** Adds to columns of a frame, those that it has. */
function shift(frame, names, by) {
  const table = STORY_TABLES.find(({ number }) => number === frame[0]);
  const { column } = decodeFrame(STORY_TABLES, frame);
  for (const name of [...table.doubles, ...table.integers].filter((one) => names.includes(one))) {
    const values = column(name);
    for (let row = 0; row < values.length; row++) values[row] += by;
  }
}

/** A row a second of the series that a chain of three hops has. */
function seriesAt(tick) {
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

function changes(state) {
  return IDS.map((id) => ({ connection: id + 1, at: 0, state }));
}

function exchange(id) {
  return {
    ...{ connection: id + 1, ordinal: 1, startedAt: 0, readAt: 0, endedAt: 5_000 },
    ...{ status: 200, parentConnection: null, parentOrdinal: null, clientGroup: 'clients' },
    ...{ client: id % 60, request: id, attempt: 1 },
  };
}
