/** For tests only: a run with hostile names, a calm, a fault and what came of it. */
import { testTopology } from '../measure/test-topology.ts';
import { makePlan } from '../model/plan.ts';
import type { RunInfo } from '../model/run.ts';
import type { Finding, Summary } from '../model/summary.ts';
import { type RunData, SeriesColumns } from './run-data.ts';

export const HOSTILE = `</style><script>alert(1)</script>"'&<img src=x onerror=alert(2)>`;

const requests = { timeouts: 0, resets: 0, throttled429: 0, serverErrors5xx: 3 };

export function testRun(more: Partial<RunInfo> = {}, findings: readonly Finding[] = []): RunData {
  const topology = { ...testTopology({ hosts: 4 }), name: HOSTILE, description: HOSTILE };
  const info: RunInfo = {
    engine: 'sim',
    version: 'test',
    seed: 7,
    topology,
    topologyHash: 'abc',
    plan: makePlan(topology, { externalClients: false }),
    endpoints: [],
    epoch: 0,
    loadStart: 1_000_000,
    loadEnd: 41_000_000,
    censusAt: 41_000_000,
    marks: [{ at: 21_000_000, text: `stall ${HOSTILE}`, kind: 'fault' }],
    eventCounts: [],
    kernel: null,
    deaths: [],
    lab: null,
    ...more,
  };
  return { info, summary: summaryOf(findings), tables: ['series'], series: seriesOf() };
}

function summaryOf(findings: readonly Finding[]): Summary {
  return {
    engine: 'sim',
    version: 'test',
    seed: 7,
    topology: { name: 'test', hash: 'abc' },
    durationSeconds: 40,
    balanced: true,
    recording: null,
    clients: [
      {
        name: 'clients',
        count: 4,
        served: 3,
        starved: 1,
        latencyMs: { mean: 30, p50: 12, p90: 40, p99: 2_500, p99_9: 3_000 },
        requests: {
          ...requests,
          sent: 1_000,
          answered: 990,
          failed: 6,
          pending: 4,
          ok: 987,
          retries: 1,
        },
        goodputPerSecond: 24,
        attemptsPerSuccess: 1.02,
      },
    ],
    links: [
      {
        name: 'apigw->nlb',
        opened: 90,
        closed: 80,
        open: 10,
        closedBy: { idle_timeout: 80 },
        exchanges: 1_000,
        requestsPerNewConnection: 11.1,
        multiplication: 2.5,
        connectionRatio: 22.5,
      },
    ],
    queues: [],
    findings,
    processes: [],
    lab: null,
    stations: [],
    imbalances: [],
  };
}

/** Calm: 80 requests on each new connection; from second 20 on: 4. A queue waits from 22 to 29. */
function seriesOf(): SeriesColumns {
  const series = new SeriesColumns(1, 40);
  for (let second = 0; second < 40; second++) {
    const calm = second < 20;
    const waiting = second >= 22 && second < 30 ? second - 20 : 0;
    const values: readonly (readonly [string, string, number])[] = [
      ['link:apigw->nlb', 'exchanges', 80],
      ['link:apigw->nlb', 'opened', calm ? 1 : 20],
      ['link:apigw->nlb', 'open', calm ? 10 : 60],
      ['hop:queue', 'waiting', waiting],
      ['clients:clients', 'ok', 24],
      ['clients:clients', 'serverErrors5xx', second === 31 ? 3 : 0],
      ['clients:clients', 'latencyP99Ms', calm ? 20 : 2_000],
    ];
    for (const [scope, measure, value] of values) series.take({ second, scope, measure, value });
  }
  return series;
}
