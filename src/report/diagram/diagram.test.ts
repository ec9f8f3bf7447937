import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import type { ConnectionRow, ExchangeRow } from '../../measure/rows.ts';
import { makePlan } from '../../model/plan.ts';
import type { RunInfo, RunPlan } from '../../model/run.ts';
import type { Topology } from '../../model/topology.ts';
import { completeRecording, convertSpools } from '../../recording/convert.ts';
import { prepareRecording } from '../../recording/folder.ts';
import { parseTopology } from '../../topology/index.ts';
import { duration } from './build.ts';
import { diagramText } from './diagram-text.ts';

const INCIDENT = `
name: incident
hops:
  - { name: mobile, kind: clients, count: 10 }
  - { name: apigw, kind: gateway }
  - { name: nlb, kind: l4-balancer }
  - { name: queue, kind: connection-queue, whileHeld: unread }
  - { name: nginx, kind: web-server }
  - { name: app, kind: app }
  - { name: mysql, kind: database }
hosts:
  - { name: ec2, count: 4, hops: [queue, nginx, app] }
`;

function parsed(yaml: string): Topology {
  const result = parseTopology(yaml, 'test.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.topology;
}

/** Writes rows as the ledger would: an L4 chain shares its ordinal and its parent. */
class Story {
  readonly exchanges: ExchangeRow[] = [];
  readonly connections = new Map<number, ConnectionRow>();
  readonly plan: RunPlan;

  constructor(plan: RunPlan) {
    this.plan = plan;
  }

  connect(connection: number, link: string, more: Partial<ConnectionRow> = {}): this {
    this.connections.set(connection, {
      connection,
      link: this.#link(link),
      connectorInstance: null,
      acceptorInstance: null,
      connectorAddress: null,
      acceptorAddress: null,
      openedAt: 0,
      closedAt: null,
      closedBy: null,
      outcome: 'open',
      bytesUp: null,
      bytesDown: null,
      exchanges: null,
      upstreamConnection: null,
      downstreamConnection: null,
      slotTime: null,
      slotBusyTime: null,
      waitedMax: null,
      ...more,
    });
    return this;
  }

  /** One flow nlb -> queue -> nginx behind apigw; with `granted` false it ends at the queue. */
  flow(first: number, replica: number, granted = true): this {
    const instance = (hop: string): number =>
      this.plan.instances.findIndex((one) => one.hop === hop && one.replica === replica);
    const queued = granted ? { upstreamConnection: first + 2 } : {};
    this.connect(first, 'apigw->nlb', { upstreamConnection: first + 1 });
    this.connect(first + 1, 'nlb->queue', {
      acceptorInstance: instance('queue'),
      downstreamConnection: first,
      ...queued,
    });
    if (!granted) return this;
    return this.connect(first + 2, 'queue->nginx', {
      connectorInstance: instance('queue'),
      acceptorInstance: instance('nginx'),
      downstreamConnection: first + 1,
    });
  }

  exchange(connection: number, ordinal: number, request: number, more: Partial<ExchangeRow>): this {
    const startedAt = request * 1_000_000;
    this.exchanges.push({
      link: this.connections.get(connection)?.link ?? -1,
      connection,
      ordinal,
      startedAt,
      readAt: startedAt,
      answeredAt: startedAt + 12_000,
      endedAt: startedAt + 12_000,
      status: 200,
      failure: 'none',
      parentLink: null,
      parentConnection: null,
      parentOrdinal: null,
      clientGroup: 'mobile',
      client: 7,
      request,
      attempt: 1,
      clientConnection: 1,
      ...more,
    });
    return this;
  }

  /** A request of the client on connection 1 that goes out on the flow that begins at `first`. */
  request(request: number, first: number, ordinal: number, more: Partial<ExchangeRow> = {}): this {
    const parent = { parentLink: 0, parentConnection: 1, parentOrdinal: request };
    this.exchange(1, request, request, more);
    for (const connection of [first, first + 1, first + 2]) {
      if (!this.connections.has(connection)) continue;
      this.exchange(connection, ordinal, request, { ...parent, ...more });
    }
    return this;
  }

  #link(name: string): number {
    return this.plan.links.findIndex((one) => one.name === name);
  }
}

/** The incident: three requests of one connection, on two flows to two hosts, the third held. */
function incident(plan: RunPlan): Story {
  return new Story(plan)
    .connect(1, 'mobile->apigw')
    .flow(10, 2)
    .flow(20, 0)
    .flow(30, 3, false)
    .request(1, 10, 1)
    .request(2, 20, 1)
    .request(3, 30, 1, { endedAt: 6_200_000, status: 504, answeredAt: null, readAt: null })
    .request(4, 10, 2);
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waterhammer-diagram-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function record(topology: Topology, tell: (plan: RunPlan) => Story): Promise<void> {
  const plan = makePlan(topology, { externalClients: false });
  const story = tell(plan);
  const info: RunInfo = {
    engine: 'live',
    version: '0.1.0',
    seed: 1,
    topology,
    topologyHash: '',
    plan,
    endpoints: [],
    epoch: 0,
    loadStart: 0,
    loadEnd: 9_000_000,
    censusAt: 9_000_000,
    marks: [],
    eventCounts: [],
    kernel: null,
    deaths: [],
    lab: null,
  };
  await prepareRecording(folder);
  const conversion = await convertSpools(folder, info, (_info, sinks) => ({
    visit: () => {},
    finish: () => {
      // Rows come in order of completion, so the order must not matter.
      for (const row of [...story.exchanges].reverse()) sinks.onExchange(row);
      for (const row of story.connections.values()) sinks.onConnection(row);
    },
  }));
  await completeRecording(folder, info, null, conversion);
}

interface Asked {
  client?: string;
  requests?: readonly [number, number];
  format?: 'plantuml' | 'mermaid';
  which?: 'assumed' | 'actual' | 'both';
  upTo?: 'web-server' | 'app' | 'database';
}

function ask(options: Asked = {}): Promise<string> {
  return diagramText(folder, {
    client: '7',
    requests: [1, 3],
    format: 'plantuml',
    which: 'actual',
    ...options,
  });
}

/** The lines of a PlantUML text with ids replaced by names, without frame and legend. */
function readable(text: string): string[] {
  const names = new Map<string, string>();
  const lines: string[] = [];
  for (const line of text.trim().split('\n')) {
    const participant = /^participant "(.*)" as (p\d+)$/.exec(line);
    if (participant !== null) names.set(participant[2] ?? '', participant[1] ?? '');
    else if (!/^(@|title|hide|note over .* : a )/.test(line)) lines.push(line);
  }
  return lines.map((line) => line.replaceAll(/\bp\d+\b/g, (id) => names.get(id) ?? id));
}

/** What PlantUML takes each diagram of a text for: to start it once for each costs a second. */
function judged(text: string, program: string): { kinds: readonly string[]; isFine: boolean } {
  const { stdout, status } = spawnSync(program, ['-charset', 'UTF-8', '-syntax'], { input: text });
  return { kinds: stdout.toString().match(/^[A-Z]+$/gm) ?? [], isFine: status === 0 };
}

describe('diagram of the incident', () => {
  it('assumes one connection at every level', async () => {
    await record(parsed(INCIDENT), incident);
    const lines = readable(await ask({ which: 'assumed', requests: [1, 2] }));
    const one = [
      'mobile -> APIGW : 1',
      'APIGW -> NLB : 1',
      'NLB -> EC2 : 1',
      'EC2 -[#999999]> ConnCtrl : 1 same link',
      'ConnCtrl -> NGINX : 1',
      'APIGW --> mobile : answer',
    ];
    expect(lines).toEqual(['== request 1 ==', ...one, '== request 2 ==', ...one]);
  });

  it('shows which connections really carried the requests, and where one was held', async () => {
    await record(parsed(INCIDENT), incident);
    expect(readable(await ask())).toEqual([
      '== request 1 ==',
      'mobile -> APIGW : 1 (c1)',
      'APIGW -> NLB : 1 (c10)',
      'NLB -> EC2 #2 : 1 (c11)',
      'EC2 #2 -[#999999]> ConnCtrl #2 : 1 (c11) same link',
      'ConnCtrl #2 -> NGINX #2 : 1 (c12)',
      'APIGW --> mobile : 200 after 12 ms',
      '== request 2 ==',
      'mobile -> APIGW : 1 (c1)',
      'APIGW -> NLB : 2 (c20)',
      'NLB -> EC2 #0 : 2 (c21)',
      'EC2 #0 -[#999999]> ConnCtrl #0 : 2 (c21) same link',
      'ConnCtrl #0 -> NGINX #0 : 2 (c22)',
      'APIGW --> mobile : 200 after 12 ms',
      '== request 3 ==',
      'mobile -> APIGW : 1 (c1)',
      'APIGW -> NLB : 3 (c30)',
      'NLB -> EC2 #3 : 3 (c31)',
      'EC2 #3 -[#999999]> ConnCtrl #3 : 3 (c31) same link',
      'note over ConnCtrl #3 : held, unread for 3.2 s',
      'APIGW --> mobile : 504 after 3.2 s',
    ]);
  });

  it('says what the numbers mean and that a host is not a hop', async () => {
    await record(parsed(INCIDENT), incident);
    const text = await ask({ requests: [1, 1] });
    expect(text).toContain('note over p1, p6 : a number counts the distinct connections used');
    expect(text).toContain('note over p4 : a host is not a hop: its arrow repeats the link nlb to');
  });

  it('counts from the first request, and numbers only the host if one is in use', async () => {
    await record(parsed(INCIDENT), incident);
    expect(readable(await ask({ requests: [4, 9], client: 'mobile/7' }))).toEqual([
      '== request 4 ==',
      'mobile -> APIGW : 1 (c1)',
      'APIGW -> NLB : 3 (c10)',
      'NLB -> EC2 #2 : 3 (c11)',
      'EC2 #2 -[#999999]> ConnCtrl : 3 (c11) same link',
      'ConnCtrl -> NGINX : 2 (c12)',
      'APIGW --> mobile : 200 after 12 ms',
    ]);
  });

  it('goes on to the app and the database when asked', async () => {
    await record(parsed(INCIDENT), incident);
    const lines = readable(await ask({ which: 'assumed', requests: [1, 1], upTo: 'database' }));
    expect(lines).toContain('NGINX -> App : 1');
    expect(lines).toContain('App -> Database : 1');
    expect(readable(await ask({ which: 'assumed', upTo: 'app' })).join()).not.toMatch('Database');
  });

  it('shows a request that is still held at the end, and one that had to wait', async () => {
    const tell = (plan: RunPlan): Story => {
      const story = new Story(plan).connect(1, 'mobile->apigw').flow(10, 0).flow(20, 0, false);
      const pending = { endedAt: null, answeredAt: null, status: null, failure: null };
      story.request(1, 10, 1).request(2, 20, 1, pending);
      const late = story.exchanges.findIndex((row) => row.connection === 12);
      const row = story.exchanges[late];
      if (row !== undefined) story.exchanges[late] = { ...row, startedAt: 1_500_000 };
      return story;
    };
    await record(parsed(INCIDENT), tell);
    const lines = readable(await ask({ requests: [1, 2] }));
    expect(lines).toContain('note over ConnCtrl : waited 500 ms for a slot');
    expect(lines.slice(-2)).toEqual([
      'note over ConnCtrl : held, unread for 7.0 s',
      'note over mobile : no answer by the end of the recording',
    ]);
  });

  it('shows retries, and an answer that the gateway gave itself', async () => {
    await record(parsed(INCIDENT), (plan) =>
      new Story(plan)
        .connect(1, 'mobile->apigw')
        .connect(2, 'mobile->apigw')
        .exchange(1, 1, 1, { status: 429 })
        .exchange(2, 1, 1, { attempt: 2, endedAt: 2_000_000, status: 0, failure: 'timeout' }),
    );
    expect(readable(await ask())).toEqual([
      '== request 1 ==',
      'mobile -> APIGW : 1 (c1)',
      'note over APIGW : answered here: 429',
      'APIGW --> mobile : 429 after 12 ms',
      '== request 1, attempt 2 ==',
      'mobile -> APIGW : 2 (c2)',
      'note over APIGW : went no further',
      'APIGW --> mobile : timeout after 1.0 s',
    ]);
  });

  it('takes the number of a connection for an external client', async () => {
    const external = { clientGroup: null, client: null, request: null, attempt: null };
    await record(parsed(INCIDENT), (plan) =>
      new Story(plan)
        .connect(1, 'mobile->apigw')
        .flow(10, 1)
        .request(1, 10, 1, external)
        .request(2, 10, 2, external),
    );
    const lines = readable(await ask({ client: '1', requests: [2, 2] }));
    expect(lines).toContain('== request 2 ==');
    expect(lines).toContain('APIGW -> NLB : 1 (c10)');
    await expect(ask({ client: '10' })).rejects.toMatchObject({
      code: 'unknown-client',
      message: 'there is no client 10; there are external connections 1',
    });
  });

  it('says which clients and requests there are', async () => {
    await record(parsed(INCIDENT), incident);
    await expect(ask({ client: '8' })).rejects.toMatchObject({
      code: 'unknown-client',
      message: 'there is no client 8; there are mobile/7',
    });
    for (const client of ['', 'x', 'mobile/', '../7x', 'embedded/7', '7.5']) {
      await expect(ask({ client })).rejects.toMatchObject({ code: 'unknown-client' });
    }
    await expect(ask({ requests: [9, 12] })).rejects.toMatchObject({
      code: 'unknown-request',
      message: 'client mobile/7 made no request 9..12; it made 1..4',
    });
  });
});

describe('diagram text', () => {
  it('is accepted by PlantUML, which finds an error when there is one', async (context) => {
    const program = requireProgram('plantuml', context);
    await record(parsed(INCIDENT), incident);
    const texts: string[] = [];
    for (const which of ['assumed', 'actual', 'both'] as const) {
      for (const upTo of ['web-server', 'database'] as const) {
        texts.push(await ask({ which, upTo }));
      }
    }
    // Those of `both` have two.
    const kinds = Array.from({ length: 8 }, () => 'SEQUENCE');
    expect(judged(texts.join('\n'), program)).toEqual({ kinds, isFine: true });
    const wrong = (await ask({ which: 'both' })).replace('note over', 'nota ovar');
    expect(judged(wrong, program)).toEqual({ kinds: ['ERROR', 'SEQUENCE'], isFine: false });
  });

  it('writes Mermaid as one diagram, or as two in Markdown', async () => {
    await record(parsed(INCIDENT), incident);
    const actual = await ask({ format: 'mermaid' });
    expect(actual.startsWith('sequenceDiagram\ntitle actual: client mobile/7,')).toBe(true);
    expect(actual).toContain('p3->>p7: 1 (c11)\n');
    const both = await ask({ format: 'mermaid', which: 'both' });
    expect(both.match(/```mermaid\nsequenceDiagram/g)).toHaveLength(2);
  });
});

describe('duration', () => {
  it('has a unit that fits', () => {
    expect([0, 850, 12_400, 3_210_000].map(duration)).toEqual(['0 µs', '850 µs', '12 ms', '3.2 s']);
  });
});
