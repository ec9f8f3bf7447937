/**
 * A tandem of six M/M/15 stations at 1,000 requests/s, on the simulator's own parts: engine,
 * event queue, stations, a lane of timeouts, the shared retry policy. The same model as
 * tandem.py, without connections, as the other has none: a client waits for its attempt or its
 * patience (250 ms), pauses 100 ms, tries three times; who gives up leaves the work behind.
 *
 *   node bench/simulator/tandem.mjs REQUESTS SEED      prints one line of JSON
 */
import { setFlagsFromString } from 'node:v8';
import { Retry } from '../../dist/policy/index.js';
import { Rows } from '../../dist/policy/rows.js';
import { randomStream, sampler } from '../../dist/random/index.js';
import { Engine } from '../../dist/sim/engine/engine.js';
import { EventOf } from '../../dist/sim/engine/event.js';
import { Lanes } from '../../dist/sim/engine/lanes.js';
import { WheelQueue } from '../../dist/sim/engine/wheel-queue.js';
import { Stations } from '../../dist/sim/stations.js';

// As `simulate` does.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000');
const STATIONS = 6;
const SERVICE = {
  ...{ serviceTime: { kind: 'exponential', mean: 10_000 }, concurrencyMax: 15 },
  ...{ waitingMax: Number.POSITIVE_INFINITY, contention: 0 },
};
const GAP = { kind: 'exponential', mean: 1_000 };
const TIMED_OUT = 0;

const requests = Number(process.argv[2]);
const seed = Number(process.argv[3]);
const engine = new Engine(new WheelQueue());
const work = new Stations(engine);
const count = { ok: 0, failed: 0, attempts: 0, latency: 0 };
const gap = sampler(GAP, randomStream(seed, 'arrivals'));

/** What is over is used again, as the simulator does with its exchanges and requests. */
class Table {
  #rows;
  #free = [];
  #used = 0;

  constructor(rows) {
    this.#rows = rows;
  }

  take() {
    if (this.#free.length > 0) return this.#free.pop();
    this.#used += 1;
    this.#rows.room(this.#used - 1);
    return this.#used - 1;
  }

  give(row) {
    this.#free.push(row);
  }
}

/** An attempt: its timeout from word 0 on, whose it is, whether its client waits no more. */
const attempts = new Rows(8);
const ATTEMPT = 3;
const REQUEST = 6;
const OVER = 7;
const attemptRows = new Table(attempts);
/** A request: when it began (a double), attempts so far. */
const asked = new Rows(4);
const REQUEST_ROW = 2;
const TRIES = 2;
const requestRows = new Table(asked);

const patience = new Lanes(engine, EventOf.requestLane, attempts, 0, (attempt) => {
  const row = attempt << ATTEMPT;
  attempts.ints[row | OVER] = 1;
  failed(attempts.ints[row | REQUEST]);
});
const timeout = patience.add(250_000);

let retryAt = -1;
const settings = {
  ...{ attemptsMax: 3, on: ['timeout'], budget: 1 },
  ...{ backoff: 100_000, backoffMax: 100_000, jitter: 0 },
};
const retry = new Retry(settings, {
  retryAt: (_request, at) => {
    retryAt = at;
  },
  giveUp: () => {},
  draw: () => 0,
});

function attemptOf(request) {
  asked.ints[(request << REQUEST_ROW) | TRIES] += 1;
  count.attempts += 1;
  const attempt = attemptRows.take();
  const row = attempt << ATTEMPT;
  attempts.ints[row | REQUEST] = request;
  attempts.ints[row | OVER] = 0;
  patience.set(timeout, attempt);
  stations[0].submit(attempt);
}

function failed(request) {
  retryAt = -1;
  const tries = asked.ints[(request << REQUEST_ROW) | TRIES];
  retry.failed(engine.now, 0, tries, TIMED_OUT, 0);
  if (retryAt >= 0) engine.push(retryAt, EventOf.request, request);
  else {
    count.failed += 1;
    requestRows.give(request);
  }
}

function served(attempt) {
  const row = attempt << ATTEMPT;
  if (attempts.ints[row | OVER] === 0) {
    patience.clear(attempt);
    const request = attempts.ints[row | REQUEST];
    count.ok += 1;
    count.latency += engine.now - asked.doubles[(request << REQUEST_ROW) >> 1];
    requestRows.give(request);
  }
  attemptRows.give(attempt);
}

const stations = Array.from({ length: STATIONS }, (_, place) => {
  const stream = randomStream(seed, `station/${place}`);
  const done = (attempt) => {
    if (place + 1 < STATIONS) stations[place + 1].submit(attempt);
    else served(attempt);
  };
  return work.add(SERVICE, stream, done, { changed: () => {} });
});

let left = requests;
function arrives() {
  const request = requestRows.take();
  asked.ints[(request << REQUEST_ROW) | TRIES] = 0;
  asked.doubles[(request << REQUEST_ROW) >> 1] = engine.now;
  attemptOf(request);
  left -= 1;
  if (left > 0) engine.push(engine.now + gap(), EventOf.user, 0);
}

engine.serve({
  happens(kind, which) {
    if (kind === EventOf.station) work.happens(which);
    else if (kind === EventOf.user) arrives();
    else if (kind === EventOf.request) attemptOf(which);
    else patience.happens(which);
  },
  follows() {},
});
engine.push(gap(), EventOf.user, 0);
const began = process.cpuUsage();
while (!engine.run(Number.MAX_SAFE_INTEGER, 10_000));
const { user, system } = process.cpuUsage(began);
const { ok, latency } = count;
process.stdout.write(
  `${JSON.stringify({
    ...{ requests, cpuSeconds: (user + system) / 1e6, events: engine.events },
    ...{
      ok,
      failed: count.failed,
      attempts: count.attempts,
      latencyMs: latency / Math.max(1, ok) / 1_000,
    },
  })}\n`,
);
