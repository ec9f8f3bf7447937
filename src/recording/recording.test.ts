import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionRow, ExchangeRow, RowSinks, SecondRow } from '../measure/rows.ts';
import { EventKind, packAddress } from '../model/event.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import { type EventRecord, eventBlocks, eventRecord } from '../stream/event-list.ts';
import {
  completeRecording,
  convertSpools,
  type FoldMaker,
  foldSpools,
  recoverRecording,
} from './convert.ts';
import { prepareRecording } from './folder.ts';
import {
  readConnections,
  readEvents,
  readExchanges,
  readSeries,
  replayEvents,
} from './recording.ts';
import { readRun, writeRun } from './run-document.ts';
import { SpoolWriter, spoolName } from './spool.ts';

const INFO: RunInfo = {
  engine: 'live',
  version: '0.1.0',
  seed: 7,
  topology: {
    name: 'two hops',
    description: '',
    duration: 1_000_000,
    startTimeOfDay: 0,
    starvedAfter: 1_000_000,
    hops: [],
    hosts: [],
    timeline: [],
    faults: [],
    processes: [],
    applied: { scale: 1, timeScale: 1 },
  },
  topologyHash: 'abc',
  plan: {
    instances: [{ index: 0, hop: 'clients', replica: 0, host: null, process: 0 }],
    links: [
      {
        index: 0,
        name: 'clients->web',
        downstream: 'clients',
        upstream: 'web',
        purpose: 'traffic',
      },
    ],
    processes: ['front', 'back'],
  },
  endpoints: [],
  epoch: 1_700_000_000_000_000,
  loadStart: 5,
  loadEnd: null,
  censusAt: null,
  marks: [{ at: 9, text: '../../etc/passwd', kind: 'note' }],
  eventCounts: [],
  kernel: null,
  deaths: [],
  lab: null,
};

const SUMMARY: Summary = {
  engine: 'live',
  version: '0.1.0',
  seed: 7,
  topology: { name: 'two hops', hash: 'abc' },
  durationSeconds: 1,
  balanced: true,
  recording: null,
  clients: [],
  links: [],
  queues: [],
  stations: [],
  processes: [],
  lab: null,
  findings: [],
  imbalances: [],
};

const CONNECTION: ConnectionRow = {
  connection: 1,
  link: 0,
  connectorInstance: 0,
  acceptorInstance: null,
  connectorAddress: packAddress('127.0.0.1', 40_000),
  acceptorAddress: packAddress('127.0.0.1', 80),
  openedAt: 2 ** 40,
  closedAt: null,
  closedBy: 'max_requests',
  outcome: 'closed',
  bytesUp: 2 ** 33,
  bytesDown: 0,
  exchanges: 3,
  upstreamConnection: null,
  downstreamConnection: null,
  slotTime: null,
  slotBusyTime: null,
  waitedMax: null,
};

const EXCHANGE: ExchangeRow = {
  link: 0,
  connection: 1,
  ordinal: 1,
  startedAt: 10,
  readAt: null,
  answeredAt: 20,
  endedAt: 21,
  status: 200,
  failure: 'none',
  parentLink: null,
  parentConnection: null,
  parentOrdinal: null,
  clientGroup: '../mobile',
  client: 0,
  request: 1,
  attempt: 1,
  clientConnection: 1,
};

const SECOND: SecondRow = { second: -1, scope: 'hop:queue', measure: 'open', value: null };

/** A fold that keeps what it saw and hands out one row of each kind per 100 events. */
const keepAll: FoldMaker<EventRecord[]> = (_info, sinks) => {
  const seen: EventRecord[] = [];
  return {
    visit: (_process, _sequence, block, row) => {
      seen.push(eventRecord(block, row));
      if (seen.length % 100 === 0) handOut(sinks, seen.length / 100);
    },
    finish: () => seen,
  };
};

function handOut(sinks: Required<RowSinks>, number: number): void {
  sinks.onConnection({ ...CONNECTION, connection: number });
  sinks.onExchange({ ...EXCHANGE, connection: number });
  sinks.onSecond({ ...SECOND, second: number });
}

function someEvents(process: number, count: number): EventRecord[] {
  return Array.from({ length: count }, (_, sequence) => ({
    process,
    sequence,
    at: sequence * 3 + process,
    kind: EventKind.mark,
    instance: 0,
    end: sequence,
    exchange: 0,
    a: 2 ** 47 + sequence,
    b: 0,
    c: -1,
  }));
}

const EVENTS = [...someEvents(0, 400), ...someEvents(1, 350)];
const inTime = (x: EventRecord, y: EventRecord): number => x.at - y.at || x.process - y.process;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waterhammer-recording-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function spoolAll(): Promise<void> {
  for (const [process, blocks] of eventBlocks(EVENTS, 64)) {
    const writer = new SpoolWriter(join(folder, spoolName(process)));
    for (const block of blocks) writer.write(block);
    await writer.close();
  }
}

/** What a run that was killed after its events leaves behind. */
async function killedRun(): Promise<void> {
  await prepareRecording(folder);
  await writeRun(folder, INFO, { state: 'running', tables: [], spools: [] }, null);
  await spoolAll();
}

async function all<Row>(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

describe('recording', () => {
  it('converts a run: events in order to the fold, rows and events to tables', async () => {
    await killedRun();
    const options = { recordEvents: true, ndjson: true };
    const conversion = await convertSpools(folder, INFO, keepAll, options);
    const info = { ...INFO, loadEnd: 900, censusAt: 1_000 };
    await completeRecording(folder, info, SUMMARY, conversion);

    const expected = [...EVENTS].sort(inTime);
    expect(conversion.result).toEqual(expected);
    expect(conversion.events).toBe(750);
    const connections = await all(readConnections(folder));
    expect(connections.map((row) => row.connection)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(connections[0]).toEqual(CONNECTION);
    expect((await all(readExchanges(folder)))[0]).toEqual(EXCHANGE);
    expect((await all(readSeries(folder)))[0]).toEqual({ ...SECOND, second: 1 });
    expect(await all(readEvents(folder))).toEqual(expected);
    expect(readdirSync(folder).sort()).toEqual([
      'connections.parquet',
      'events.ndjson',
      'events.parquet',
      'exchanges.parquet',
      'run.json',
      'series.parquet',
      'slots.parquet',
    ]);
    const run = await readRun(folder);
    expect(run).toMatchObject({ ...info, summary: SUMMARY });
    expect(run.recording.state).toBe('complete');
    expect(run.recording.spools.map((spool) => spool.events)).toEqual([400, 350]);
  });

  it('gives the same events from each of its three forms', async () => {
    await killedRun();
    const expected = [...EVENTS].sort(inTime);
    expect(await all(readEvents(folder))).toEqual(expected);
    await convertSpools(folder, INFO, keepAll, { ndjson: true });
    expect(await all(readEvents(folder))).toEqual(expected);
    await convertSpools(folder, INFO, keepAll, { recordEvents: true });
    const replayed: EventRecord[] = [];
    const count = await replayEvents(folder, (process, sequence, block, row) => {
      expect([block.process, block.firstSequence + row]).toEqual([process, sequence]);
      replayed.push(eventRecord(block, row));
    });
    expect(count).toBe(750);
    expect(replayed).toEqual(expected);
  });

  it('keeps spools when asked to', async () => {
    await killedRun();
    const conversion = await convertSpools(folder, INFO, keepAll);
    await completeRecording(folder, INFO, null, conversion, { keepSpools: true });
    expect(readdirSync(folder).filter((name) => name.endsWith('.seg')).length).toBe(2);
    expect((await all(readEvents(folder))).length).toBe(750);
  });

  it('folds without writing', async () => {
    await spoolAll();
    const before = readdirSync(folder);
    expect((await foldSpools(folder, INFO, keepAll)).result.length).toBe(750);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('recovers a run that was killed while it wrote a segment', async () => {
    await killedRun();
    await expect(all(readConnections(folder))).rejects.toMatchObject({
      code: 'recording-incomplete',
    });
    const cut = join(folder, spoolName(1));
    truncateSync(cut, statSync(cut).size - 100);
    const summaryOf = (seen: EventRecord[]): Summary => ({ ...SUMMARY, seed: seen.length });
    const conversion = await recoverRecording(folder, keepAll, { summaryOf });

    // The last segment of process 1 holds 350 - 5 x 64 = 30 events.
    expect(conversion.events).toBe(720);
    expect(conversion.spools.map((spool) => spool.truncatedBytes)).toEqual([0, 32 + 30 * 43 - 100]);
    expect((await all(readConnections(folder))).length).toBe(7);
    const run = await readRun(folder);
    const end = run.loadStart + 1e6 * SUMMARY.durationSeconds;
    expect([run.recording.state, run.summary?.seed, run.loadEnd]).toEqual(['recovered', 720, end]);
    expect(existsSync(cut)).toBe(true);
    await recoverRecording(folder, keepAll, { keepSpools: false });
    const again = recoverRecording(folder, keepAll);
    await expect(again).rejects.toMatchObject({ code: 'recording-without-spools' });
    const events = all(readEvents(folder));
    await expect(events).rejects.toMatchObject({ code: 'recording-without-events' });
  });

  it('leaves the spools and no table when the fold throws', async () => {
    await killedRun();
    const before = readdirSync(folder).sort();
    const broken: FoldMaker<null> = () => ({
      visit: (_process, sequence) => {
        if (sequence === 200) throw new Error('broken fold');
      },
      finish: () => null,
    });
    const everything = { recordEvents: true, ndjson: true };
    await expect(convertSpools(folder, INFO, broken, everything)).rejects.toThrow('broken fold');
    expect(readdirSync(folder).sort()).toEqual(before);
    const late: FoldMaker<null> = (_info, sinks) => ({
      visit: () => {},
      finish: () => {
        sinks.onExchange({ ...EXCHANGE, startedAt: 0.5 });
        return null;
      },
    });
    await expect(convertSpools(folder, INFO, late, everything)).rejects.toThrow(RangeError);
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

describe('an aborted conversion', () => {
  it('leaves the spools and no table', async () => {
    await prepareRecording(folder);
    const writer = new SpoolWriter(join(folder, spoolName(0)));
    const [blocks] = eventBlocks(someEvents(0, 30_000)).values();
    for (const block of blocks ?? []) writer.write(block);
    await writer.close();
    const before = readdirSync(folder).sort();
    const signal = AbortSignal.abort();
    const conversion = convertSpools(folder, INFO, keepAll, { signal, ndjson: true });
    await expect(conversion).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

describe('recording folder', () => {
  it('is created, marked, and written over; what else lies in it stays', async () => {
    const inner = join(folder, 'a', 'b');
    await prepareRecording(inner);
    expect(readdirSync(inner)).toEqual(['run.json']);
    await expect(readRun(inner)).rejects.toMatchObject({ code: 'recording-incomplete' });
    writeFileSync(join(inner, 'notes.txt'), 'mine');
    writeFileSync(join(inner, 'spool-0.seg'), 'old');
    writeFileSync(join(inner, 'exchanges.parquet.partial'), 'old');
    mkdirSync(join(inner, 'spool-x.seg'));
    await prepareRecording(inner);
    expect(readdirSync(inner).sort()).toEqual(['notes.txt', 'run.json', 'spool-x.seg']);
  });

  it('is refused when it holds anything that is not a recording', async () => {
    const cases: [string, string][] = [
      ['notes.txt', 'mine'],
      ['run.json', '{"format":"waterhammer-recording"}'],
      ['run.json', '{"recording":null}'],
      ['run.json', '{'],
    ];
    for (const [name, content] of cases) {
      const inner = mkdtempSync(join(folder, 'case-'));
      writeFileSync(join(inner, name), content);
      await expect(prepareRecording(inner)).rejects.toMatchObject({ code: 'folder-not-empty' });
      expect(readFileSync(join(inner, name), 'utf8')).toBe(content);
    }
  });

  it('is refused when it is a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(prepareRecording(join(folder, 'file'))).rejects.toMatchObject({
      code: 'recording-write-failed',
    });
  });
});

describe('run.json', () => {
  it('says what is not a recording, and what is of another version', async () => {
    await expect(readRun(join(folder, 'nothing'))).rejects.toMatchObject({
      code: 'not-a-recording',
    });
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'not-a-recording' });
    await prepareRecording(folder);
    const path = join(folder, 'run.json');
    const text = readFileSync(path, 'utf8').replace(/"formatVersion": 1/, '"formatVersion": 2');
    writeFileSync(path, text);
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'recording-version' });
    appendFileSync(path, '}');
    await expect(readRun(folder)).rejects.toMatchObject({ code: 'recording-unreadable' });
  });

  it('names every problem of a damaged one', async () => {
    await prepareRecording(folder);
    const [link] = INFO.plan.links;
    if (link === undefined) throw new Error('no link');
    const plan = { ...INFO.plan, links: [{ ...link, index: 3 }] };
    const damaged = { ...INFO, plan, seed: Number.NaN };
    await writeRun(folder, damaged, { state: 'complete', tables: [], spools: [] }, null);
    await expect(readRun(folder)).rejects.toThrow(/seed: .*plan.links: links are out of place/);
  });

  it('keeps text as text', async () => {
    await killedRun();
    expect((await readRun(folder)).marks[0]?.text).toBe('../../etc/passwd');
  });
});
