/**
 * The books of a recording: struck again they agree; with any one event or row taken out they do
 * not. Events are taken out of every kind that the recording has, several of each.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledger } from '../../src/measure/ledger.ts';
import { EVENT_KIND_NAMES } from '../../src/model/event.ts';
import { randomStream } from '../../src/random/stream.ts';
import { readConnections, readEvents, readExchanges } from '../../src/recording/recording.ts';
import { readRun } from '../../src/recording/run-document.ts';
import type { RunDocument } from '../../src/recording/run-format.ts';
import { TableWriter } from '../../src/recording/table-writer.ts';
import {
  tablePath,
  WRITTEN_CONNECTION_COLUMNS,
  WRITTEN_EXCHANGE_COLUMNS,
  writtenConnection,
  writtenExchange,
} from '../../src/recording/tables.ts';
import { type EventRecord, eventBlocks } from '../../src/stream/event-list.ts';
import { mergeEvents } from '../../src/stream/merge.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, summaryOf, writeTopology } from './pipelines.ts';

const PICKS_PER_KIND = 6;
const folder = tempFolder();
const recording = path.join(folder.path, 'rec');

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const list: T[] = [];
  for await (const batch of batches) list.push(...batch);
  return list;
}

function balancedWith(run: RunDocument, events: readonly EventRecord[]): boolean | null {
  const books = ledger(run);
  mergeEvents([...eventBlocks(events).values()], books.visit);
  return books.finish().summary.balanced;
}

beforeAll(async () => {
  const timeline = [
    { at: '1s', action: 'mark', text: 'half way' },
    { at: '1s', action: 'set', path: 'apigw.throttle.ratePerSecond', to: '500/s' },
  ];
  const file = writeTopology(folder.path, { ...incident(), timeline });
  await summaryOf([file, '--duration', '3s', '--record', recording, '--record-events', '--ndjson']);
});

afterAll(() => folder[Symbol.dispose]());

describe('the ledger of a recording with events', () => {
  it('balances when struck again, and is the one that the run printed', async () => {
    const result = await runCli(['ledger', recording, '--json']);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const again = JSON.parse(result.stdout);
    const { summary } = await readRun(recording);
    expect(again.balanced).toBe(true);
    expect(again.links).toEqual(summary?.links);
    expect(again.clients).toEqual(summary?.clients);
    expect(again.queues).toEqual(summary?.queues);
  });

  it('says which connection carried request 3 of client 7 on each link', async () => {
    const args = ['ledger', recording, '--client', '7', '--request', '3'];
    const result = await runCli([...args, '--json']);
    expect(result.code).toBe(0);
    const steps: { link: string; connection: number; status: number; from: string; to: string }[] =
      JSON.parse(result.stdout);
    expect(steps.map((step) => step.link)).toEqual([
      'clients->cdn',
      'cdn->apigw',
      'apigw->nlb',
      'nlb->queue',
      'queue->nginx',
      'nginx->app',
      'app->db',
    ]);
    expect(new Set(steps.map((step) => step.connection)).size).toBe(7);
    for (const step of steps) {
      expect(step.status).toBe(200);
      expect(step.from).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(step.to).toMatch(/^127\.0\.0\.1:\d+$/);
    }
    const text = await runCli(args);
    for (const step of steps) expect(text.stdout).toContain(step.link);
  });

  it('refuses a client or request that there was not', async () => {
    const request = await runCli(['ledger', recording, '--client', '7', '--request', '99999']);
    expect(request.code).toBe(2);
    expect(request.stderr).toContain('99999');
    const client = await runCli(['ledger', recording, '--client', 'tablets/1']);
    expect(client.code).toBe(2);
    expect(client.stderr).toContain('clients');
  });

  it('does not balance without any one event, of whatever kind', async () => {
    const run = await readRun(recording);
    const events = await all(readEvents(recording));
    expect(balancedWith(run, events)).toBe(true);
    const byKind = new Map<number, number[]>();
    events.forEach((event, index) => {
      const list = byKind.get(event.kind) ?? [];
      list.push(index);
      byKind.set(event.kind, list);
    });
    const kinds = [...byKind.keys()].map((kind) => EVENT_KIND_NAMES[kind]);
    for (const expected of [
      'connectStarted',
      'connected',
      'accepted',
      'closed',
      'slot',
      'paired',
      'exchangeStarted',
      'exchangeEnded',
      'requestSent',
      'requestDone',
      'census',
      'censusDone',
    ]) {
      expect(kinds).toContain(expected);
    }
    const pick = randomStream(1, 'picks');
    for (const [kind, indexes] of byKind) {
      for (let n = 0; n < PICKS_PER_KIND; n++) {
        const index = indexes[Math.floor(pick.unit() * indexes.length)] ?? 0;
        const name = `without ${EVENT_KIND_NAMES[kind]} ${index}`;
        expect([name, balancedWith(run, events.toSpliced(index, 1))]).toEqual([name, false]);
      }
    }
  });

  it('notices a line that was taken out of events.ndjson', async () => {
    rmSync(tablePath(recording, 'events'));
    const file = tablePath(recording, 'ndjson');
    const whole = await runCli(['ledger', recording]);
    expect(whole.code).toBe(0);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const middle = Math.floor(lines.length / 2);
    writeFileSync(file, `${lines.toSpliced(middle, 1).join('\n')}\n`);
    const result = await runCli(['ledger', recording]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/event/i);
  });
});

describe('the ledger of a recording without events', () => {
  const rows = path.join(folder.path, 'rows');

  beforeAll(async () => {
    const file = writeTopology(folder.path, incident());
    await summaryOf([file, '--duration', '1s', '--record', rows]);
  });

  it('counts its rows again', async () => {
    const result = await runCli(['ledger', rows, '--json']);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout).balanced).toBe(true);
  });

  it('notices a connection or an exchange that is missing', async () => {
    const { links } = (await readRun(rows)).plan;
    const exchanges = await all(readExchanges(rows));
    const withExchanges = (kept: typeof exchanges): void => {
      const table = new TableWriter(tablePath(rows, 'exchanges'), WRITTEN_EXCHANGE_COLUMNS);
      for (const row of kept) table.write(writtenExchange(row, links));
      table.finish();
    };
    withExchanges(exchanges.slice(1));
    expect((await runCli(['ledger', rows])).code).toBe(1);
    withExchanges(exchanges);
    expect((await runCli(['ledger', rows])).code).toBe(0);
    const connections = await all(readConnections(rows));
    const table = new TableWriter(tablePath(rows, 'connections'), WRITTEN_CONNECTION_COLUMNS);
    for (const row of connections.slice(1)) table.write(writtenConnection(row, links));
    table.finish();
    const result = await runCli(['ledger', rows]);
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('opened was struck as');
  });
});
