/**
 * A tandem of six M/M/15 stations at 1,000 requests/s, on the simulator's own parts: engine,
 * event queue, stations, a lane of timeouts, the shared retry policy. The same model as
 * tandem.py, without connections, as the other has none: a client waits for its attempt or its
 * patience (250 ms), pauses 100 ms, tries three times; who gives up leaves the work behind.
 *
 *   node bench/simulator/tandem.mjs REQUESTS SEED      prints one line of JSON
 */
import { Retry } from '../../dist/policy/index.js';
import { randomStream, sampler } from '../../dist/random/index.js';
import { Engine } from '../../dist/sim/engine/engine.js';
import { Lane, Timeout } from '../../dist/sim/engine/lane.js';
import { WheelQueue } from '../../dist/sim/engine/wheel-queue.js';
import { Station } from '../../dist/sim/station.js';

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
const count = { ok: 0, failed: 0, attempts: 0, latency: 0 };
const patience = new Lane(engine, 250_000);
const gap = sampler(GAP, randomStream(seed, 'arrivals'));

/** What is over is used again, as the simulator does with its exchanges and requests. */
const spareAttempts = [];
const spareRequests = [];

class Attempt extends Timeout {
  request = null;
  place = 0;
  over = false;

  expired() {
    this.over = true;
    this.request.failed();
  }
}

class Request {
  tries = 0;
  began = 0.5;

  fire() {
    this.tries += 1;
    count.attempts += 1;
    const attempt = spareAttempts.pop() ?? new Attempt();
    attempt.request = this;
    attempt.place = 0;
    attempt.over = false;
    patience.set(attempt);
    stations[0].submit(attempt);
  }

  failed() {
    retryAt = -1;
    retry.failed(engine.now, 0, this.tries, TIMED_OUT, 0);
    if (retryAt >= 0) engine.at(retryAt, this, 0);
    else {
      count.failed += 1;
      spareRequests.push(this);
    }
  }

  answered() {
    count.ok += 1;
    count.latency += engine.now - this.began;
    spareRequests.push(this);
  }
}

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

const stations = Array.from({ length: STATIONS }, (_, place) => {
  const stream = randomStream(seed, `station/${place}`);
  return new Station(
    engine,
    SERVICE,
    stream,
    (attempt) => {
      attempt.place += 1;
      if (attempt.place < STATIONS) stations[attempt.place].submit(attempt);
      else {
        if (!attempt.over) {
          patience.clear(attempt);
          attempt.request.answered();
        }
        spareAttempts.push(attempt);
      }
    },
    { changed: () => {} },
  );
});

const arrivals = {
  left: requests,
  fire() {
    const request = spareRequests.pop() ?? new Request();
    request.tries = 0;
    request.began = engine.now;
    request.fire();
    this.left -= 1;
    if (this.left > 0) engine.at(engine.now + gap(), this, 0);
  },
};
engine.at(gap(), arrivals, 0);
const began = process.cpuUsage();
while (!engine.run(Number.MAX_SAFE_INTEGER, 1_000_000));
const { user, system } = process.cpuUsage(began);
const { ok, failed, attempts, latency } = count;
process.stdout.write(
  `${JSON.stringify({
    ...{ requests, cpuSeconds: (user + system) / 1e6, events: engine.events },
    ...{ ok, failed, attempts, latencyMs: latency / Math.max(1, ok) / 1_000 },
  })}\n`,
);
