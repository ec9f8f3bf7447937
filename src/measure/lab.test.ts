/** When the lab is the bottleneck, from figures; real runs are in test/e2e/lab.test.ts. */
import { describe, expect, it } from 'vitest';
import { scriptedInput } from '../finding/test-input.ts';
import type { EventLoopAccount, LabAccount, ProcessAccount } from '../model/lab.ts';
import type { RunInfo } from '../model/run.ts';
import type { ClientsSummary, LabSummary } from '../model/summary.ts';
import { labSummary, processSummaries } from './lab.ts';

const WINDOW = 60_000_000;
const CALM: EventLoopAccount = {
  delayP50: 300,
  delayP99: 1_400,
  delayMax: 8_000,
  utilisation: 0.3,
  saturated: 0,
};

function worker(eventLoop: Partial<EventLoopAccount> = {}): ProcessAccount {
  const loop = { ...CALM, ...eventLoop };
  const what = { name: 'front', hops: ['clients'], foreign: false, sockets: 'native' } as const;
  return { ...what, cpu: 3_000_000, eventLoop: loop };
}

function lab(more: Partial<LabAccount> = {}): LabAccount {
  return {
    processes: [worker()],
    machine: { cores: 2, busy: 0.4, stolen: 0.01, saturated: 0 },
    load: [{ hop: 'clients', requests: 1_000, latenessP99: 1_200, latenessMax: 9_000 }],
    ...more,
  };
}

function infoWith(account: LabAccount | null): RunInfo {
  return { ...scriptedInput([], 0).info, lab: account };
}

function clients(p99: number | null): ClientsSummary {
  const requests = {
    sent: 0,
    answered: 0,
    failed: 0,
    pending: 0,
    ok: 0,
    throttled429: 0,
    serverErrors5xx: 0,
    timeouts: 0,
    resets: 0,
    retries: 0,
  };
  const latencyMs = { mean: 1, p50: 1, p90: 1, p99, p99_9: p99 };
  return {
    name: 'clients',
    count: 1,
    served: 1,
    starved: 0,
    latencyMs,
    requests,
    goodputPerSecond: 0,
    attemptsPerSuccess: null,
  };
}

/** `p99s`: of each group of clients, in ms. */
function judged(account: LabAccount, p99s: readonly (number | null)[] = [20]): LabSummary | null {
  return labSummary(infoWith(account), p99s.map(clients), WINDOW);
}

describe('the lab as bottleneck', () => {
  it('is not said of a calm run', () => {
    expect(judged(lab())).toMatchObject({ bottleneck: false, because: [] });
  });

  it('is not known where nothing was measured', () => {
    expect(labSummary(infoWith(null), [clients(20)], WINDOW)).toBeNull();
  });

  it.each([
    ['a quarter of the p99 is exceeded', 12_000, [40], true],
    ['a quarter is not exceeded', 12_000, [60], false],
    ['below 10 ms it is never enough', 9_900, [11], false],
    ['the group with the smallest p99 decides', 12_000, [5_000, 40], true],
    ['without an answer there is nothing to compare with', 500_000, [null], false],
  ])('by event-loop delay: %s', (_title, delayP99, p99s, expected) => {
    const summary = judged(lab({ processes: [worker({ delayP99 })] }), p99s);
    expect(summary?.bottleneck).toBe(expected);
    expect(summary?.because).toHaveLength(expected ? 1 : 0);
    if (expected) expect(summary?.because[0]).toContain('"front" was late by 12.0 ms');
  });

  it('is not said for a late supervisor, which no request passes', () => {
    const supervisor = { ...worker({ delayP99: 500_000 }), name: 'supervisor', hops: [] };
    expect(judged(lab({ processes: [worker(), supervisor] }))?.bottleneck).toBe(false);
  });

  it.each([
    [11_000, 20, true],
    [11_000, 30, false],
    [9_000, 10, false],
  ])('by requests issued %d µs late of a p99 of %d ms: %s', (latenessP99, p99, expected) => {
    const load = [{ hop: 'mobile', requests: 10, latenessP99, latenessMax: latenessP99 }];
    const summary = judged(lab({ load }), [p99]);
    expect(summary?.bottleneck).toBe(expected);
    if (expected) expect(summary?.because.join()).toMatch(/"mobile" issued requests 11.0 ms late/);
  });

  it('by a loop without a pause, from a twentieth of the time on', () => {
    const judgedAt = (saturated: number) => judged(lab({ processes: [worker({ saturated })] }));
    expect(judgedAt(2_900_000)?.because).toEqual([]);
    expect(judgedAt(3_100_000)?.because).toEqual([
      'the event loop of process "front" had no pause for 3.1 s',
    ]);
  });

  it('by a machine without a pause, but not by a cold start of a short run', () => {
    const judgedAt = (saturated: number) =>
      labSummary(
        infoWith(lab({ machine: { cores: 2, busy: 0.91, stolen: 0.07, saturated } })),
        [clients(20)],
        10_000_000,
      );
    expect(judgedAt(1_900_000)?.because).toEqual([]);
    expect(judgedAt(2_100_000)?.because.join()).toMatch(
      /no pause for 2.1 s .* 91 % busy, 7 % stolen/,
    );
  });
});

describe('what processes used', () => {
  it('is given in seconds and per answered request, unknown where unknown', () => {
    const back = { name: 'back', hops: ['app'], foreign: false, sockets: null };
    const dead = { ...back, cpu: null, eventLoop: null };
    const info = infoWith(lab({ processes: [worker(), dead] }));
    expect(processSummaries(info, 30_000)).toEqual([
      {
        name: 'front',
        hops: ['clients'],
        foreign: false,
        sockets: 'native',
        cpuSeconds: 3,
        cpuMicrosPerRequest: 100,
        eventLoopDelayMs: { p50: 0.3, p99: 1.4, max: 8 },
        eventLoopUtilisation: 0.3,
      },
      {
        name: 'back',
        hops: ['app'],
        foreign: false,
        sockets: null,
        cpuSeconds: null,
        cpuMicrosPerRequest: null,
        eventLoopDelayMs: null,
        eventLoopUtilisation: null,
      },
    ]);
    expect(processSummaries(info, 0).map((one) => one.cpuMicrosPerRequest)).toEqual([null, null]);
  });
});
