/**
 * A live run within the test's own process: the topology's hops on real sockets, told what to do
 * by messages as the supervisor tells its workers, struck by the supervisor's own strike, and
 * folded by the ledger. What that is good for: any hop can be *played* by the test, as the
 * foreign program that a run would have there; so a server may misbehave in every way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Clock } from '../../src/live/runtime/clock.ts';
import type { FromWorker, ToWorker, WorkerInit } from '../../src/live/supervisor/messages.ts';
import { type Answer, Strike, type StruckWorker } from '../../src/live/supervisor/strike.ts';
import { Worker } from '../../src/live/supervisor/worker.ts';
import { ledger } from '../../src/measure/ledger.ts';
import type { Measured } from '../../src/measure/strike.ts';
import { makePlan } from '../../src/model/plan.ts';
import type { Endpoint, RunInfo, RunPlan } from '../../src/model/run.ts';
import type { Action, Topology } from '../../src/model/topology.ts';
import { foldSpools } from '../../src/recording/convert.ts';
import { topologyOf } from '../../src/topology/test-support.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';
import type { HopDocument } from './pipelines.ts';

export interface OneProcessOptions {
  /** One hop after the other, from the clients on; hosts have no place here. */
  readonly hops: readonly HopDocument[];
  /** More of the document, beside the hops. */
  readonly settings?: HopDocument;
  /** Hops that the test plays, and the ports at which their neighbours find them. */
  readonly played?: Readonly<Record<string, number>>;
}

/** A worker process without the process. */
class LocalWorker implements StruckWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<string, ((message: FromWorker) => void)[]>();

  constructor(init: WorkerInit) {
    const heard = (message: FromWorker): void => {
      if (message.type === 'failed') throw new Error(message.error);
      this.#waiting.get(message.type)?.shift()?.(message);
    };
    this.#worker = new Worker(init, heard, () => {});
  }

  send(message: ToWorker): void {
    this.#worker.receive(message, undefined);
  }

  ask<T extends FromWorker['type']>(message: ToWorker, answer: T): Promise<Answer<T>> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(answer) ?? [];
      waiting.push((heard) => resolve(heard as Answer<T>));
      this.#waiting.set(answer, waiting);
      this.send(message);
    });
  }
}

export class OneProcess implements AsyncDisposable {
  readonly #folder: TempFolder = tempFolder();
  readonly #topology: Topology;
  readonly #plan: RunPlan;
  readonly #worker: LocalWorker;
  readonly #clock = new Clock();
  readonly #endpoints: Endpoint[] = [];
  #loadStart = 0;
  #stopped: Promise<Answer<'stopped'>> | null = null;

  private constructor({ hops, settings, played = {} }: OneProcessOptions) {
    this.#topology = topologyOf(JSON.stringify({ name: 'test', ...settings, hops }));
    const plan = makePlan(this.#topology, { externalClients: false });
    const instances = plan.instances.map((one) => ({
      ...one,
      process: one.hop in played ? -1 : 0,
    }));
    this.#plan = { ...plan, instances, processes: ['test'] };
    this.#worker = new LocalWorker({
      process: 0,
      topology: this.#topology,
      plan: this.#plan,
      seed: 1,
      spool: `${this.#folder.path}/spool-0.seg`,
      bookless: false,
      policyLog: null,
    });
  }

  /** Resolves when every hop listens and the load has begun. */
  static async start(options: OneProcessOptions): Promise<OneProcess> {
    const run = new OneProcess(options);
    for (const { name } of [...run.#topology.hops].reverse()) await run.#listen(name, options);
    run.#loadStart = run.#clock.now();
    run.#worker.send({ type: 'begin' });
    return run;
  }

  /** The port of the first listener of a hop. */
  portOf(hop: string): number {
    const indexes = this.#plan.instances.filter((one) => one.hop === hop).map((one) => one.index);
    const found = this.#endpoints.find(({ instance }) => indexes.includes(instance));
    if (found === undefined) throw new Error(`${hop} does not listen`);
    return found.port;
  }

  /** Resolves when no hop has booked anything for a moment: who waits now, waits on. */
  async settled(): Promise<void> {
    for (let before = -1; ; await sleep(100)) {
      const { events } = await this.#worker.ask({ type: 'activity', id: 0 }, 'activity');
      if (events === before) return;
      before = events;
    }
  }

  /** Resolves when all clients together have issued so many requests. */
  async issued(count: number): Promise<void> {
    for (let waited = 0; ; waited += 20) {
      const { load } = await this.#worker.ask({ type: 'account' }, 'account');
      const issued = load.reduce((sum, { requests }) => sum + requests, 0);
      if (issued >= count) return;
      if (waited > 20_000) throw new Error(`only ${issued} requests were issued`);
      await sleep(20);
    }
  }

  async apply(action: Action): Promise<boolean> {
    return (await this.#worker.ask({ type: 'apply', id: 0, action }, 'applied')).accepted;
  }

  /**
   * Ends the load, strikes the books and holds them to their promise: everything is accounted
   * for to the last one, and what differs is explained.
   */
  async strike(): Promise<Measured> {
    const quiet: string[] = [];
    const strike = new Strike({
      workers: [this.#worker],
      clock: this.#clock,
      plan: this.#plan,
      endpoints: this.#endpoints,
      externalClients: false,
      onLog: (text) => quiet.push(text),
    });
    const loadEnd = await strike.requests();
    const { censusAt, kernel } = await strike.connections();
    const { events } = await this.#stop();
    const info = this.#info({ loadEnd, censusAt, kernel, eventCounts: [events] });
    const { summary } = (await foldSpools(this.#folder.path, info, ledger)).result;
    expect(quiet).toEqual([]);
    expect(summary.imbalances.filter(({ explained }) => !explained)).toEqual([]);
    expect(summary.balanced).toBe(true);
    for (const { requests } of summary.clients) {
      const { sent, answered, failed, pending } = requests;
      expect(sent).toBe(answered + failed + pending);
    }
    for (const { name, opened, closed, open } of summary.links) {
      if (opened !== null) expect([name, opened]).toEqual([name, (closed ?? 0) + (open ?? 0)]);
    }
    return summary;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    this.#folder[Symbol.dispose]();
  }

  async #listen(hop: string, { played = {} }: OneProcessOptions): Promise<void> {
    const { links, instances } = this.#plan;
    let endpoints: readonly Endpoint[];
    if (hop in played) {
      const instance = instances.findIndex((one) => one.hop === hop);
      const port = played[hop] ?? 0;
      endpoints = links
        .filter(({ upstream }) => upstream === hop)
        .map((link) => ({ instance, link: link.index, address: '127.0.0.1', port }));
    } else {
      endpoints = (await this.#worker.ask({ type: 'listen', hop }, 'listening')).endpoints;
    }
    this.#endpoints.push(...endpoints);
    this.#worker.send({ type: 'endpoints', endpoints });
  }

  #stop(): Promise<Answer<'stopped'>> {
    this.#stopped ??= this.#worker.ask({ type: 'stop' }, 'stopped');
    return this.#stopped;
  }

  #info(struck: Pick<RunInfo, 'loadEnd' | 'censusAt' | 'kernel' | 'eventCounts'>): RunInfo {
    return {
      engine: 'live',
      version: 'test',
      seed: 1,
      topology: this.#topology,
      topologyHash: 'test',
      plan: this.#plan,
      endpoints: this.#endpoints,
      epoch: this.#clock.epoch(),
      loadStart: this.#loadStart,
      marks: [],
      deaths: [],
      lab: null,
      ...struck,
    };
  }
}
