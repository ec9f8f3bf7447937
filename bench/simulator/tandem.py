"""The tandem of bench/simulator.mjs, as one writes it with SimPy: a process per attempt, a
resource per station, the client waits for its attempt or its patience. Prints one JSON line.

    python3 tandem.py REQUESTS SEED
"""
import json
import random
import sys
import time

import simpy

RATE, STATIONS, SERVERS, SERVICE = 1000.0, 6, 15, 0.010
TIMEOUT, PAUSE, ATTEMPTS = 0.250, 0.100, 3


class Count:
    ok = failed = attempts = 0
    latency = 0.0


def attempt(env, stations, draw):
    for station in stations:
        with station.request() as place:
            yield place
            yield env.timeout(draw.expovariate(1.0 / SERVICE))


def client(env, stations, draw, count):
    began = env.now
    for tries in range(ATTEMPTS):
        if tries > 0:
            yield env.timeout(PAUSE)
        count.attempts += 1
        # Whoever gives up leaves the work behind, as at a real server.
        work = env.process(attempt(env, stations, draw))
        patience = env.timeout(TIMEOUT)
        yield work | patience
        if work.triggered:
            count.ok += 1
            count.latency += env.now - began
            return
    count.failed += 1


def arrivals(env, stations, draw, count, requests):
    for _ in range(requests):
        yield env.timeout(draw.expovariate(RATE))
        env.process(client(env, stations, draw, count))


def main():
    requests, seed = int(sys.argv[1]), int(sys.argv[2])
    env = simpy.Environment()
    draw = random.Random(seed)
    count = Count()
    stations = [simpy.Resource(env, SERVERS) for _ in range(STATIONS)]
    env.process(arrivals(env, stations, draw, count, requests))
    began = time.process_time()
    env.run()
    cpu = time.process_time() - began
    print(json.dumps({
        "version": simpy.__version__, "requests": requests, "cpuSeconds": cpu,
        "ok": count.ok, "failed": count.failed, "attempts": count.attempts,
        "latencyMs": count.latency / max(1, count.ok) * 1000,
    }))


main()
