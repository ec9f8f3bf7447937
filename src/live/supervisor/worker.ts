/**
 * One worker process: builds the live hops that the plan gives it and does what the supervisor
 * says. All hops of a process share its clock, its event writer and its end numbers.
 */
import { Histogram } from '../../measure/histogram.ts';
import { EventKind } from '../../model/event.ts';
import type { LoadAccount } from '../../model/lab.ts';
import { hopNamed, isL4, nearestL7IsForeign } from '../../model/plan.ts';
import type { Endpoint, Instance, Link } from '../../model/run.ts';
import type { Hop } from '../../model/topology.ts';
import { noTap } from '../../policy/tap.ts';
import { randomStream } from '../../random/stream.ts';
import { SpoolWriter } from '../../recording/spool.ts';
import { type EventBlock, EventWriter } from '../../stream/columns.ts';
import { acceptorsOf } from '../hops/acceptors.ts';
import { createHop } from '../hops/registry.ts';
import type { Descriptors } from '../io/accept-pause.ts';
import { EndRegistry } from '../io/connection-end.ts';
import { DescriptorBudget } from '../io/descriptor-budget.ts';
import { socketKind } from '../io/socket-kind.ts';
import { Clock } from '../runtime/clock.ts';
import {
  type HopContext,
  HopCounters,
  type LiveHop,
  type ProcessContext,
} from '../runtime/context.ts';
import { entryLinks } from '../runtime/entry-links.ts';
import { LoopMeter } from '../runtime/loop-meter.ts';
import { NoEvents } from '../runtime/no-events.ts';
import { PolicyLog } from '../runtime/policy-log.ts';
import { descriptorsForConnections, spoolBlocksMax } from '../runtime/process-limits.ts';
import type { FromWorker, HopTick, ToWorker, WorkerInit } from './messages.ts';
import { ProcessParking, type SendHandle } from './process-parking.ts';

interface Placed {
  readonly context: HopContext;
  readonly live: LiveHop;
}

const TICK_MS = 1_000;
/** Events wait at most this long in memory before they are on their way to the disk. */
const FLUSH_MS = 500;

export class Worker {
  readonly #init: WorkerInit;
  readonly #send: (message: FromWorker) => void;
  readonly #clock = new Clock();
  readonly #spool: SpoolWriter;
  readonly #events: EventWriter;
  readonly #policyLog: PolicyLog | null;
  readonly #placed: Placed[] = [];
  readonly #endpoints = new Map<number, Endpoint[]>();
  readonly #numbers = { next: 0 };
  /** Of each hop, all of its replicas here together. */
  readonly #latencies = new Map<string, Histogram>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #loop = new LoopMeter();
  #cpuBefore = process.cpuUsage();
  readonly #parking: ProcessParking;
  readonly #descriptors: Descriptors;
  #noted = false;
  #unrecorded = false;
  /** Events whose loss was told in a block that was lost too. */
  #lostAgain = 0;

  constructor(init: WorkerInit, send: (message: FromWorker) => void, sendHandle: SendHandle) {
    this.#init = init;
    this.#send = send;
    this.#spool = new SpoolWriter(init.spool, {
      blocksMax: spoolBlocksMax(),
      written: (block) => this.#events.reuse(block),
    });
    this.#events = init.bookless
      ? new NoEvents(init.process)
      : new EventWriter(init.process, (block) => this.#spoolBlock(block));
    this.#policyLog = init.policyLog === null ? null : new PolicyLog(init.policyLog);
    this.#parking = new ProcessParking(sendHandle);
    this.#descriptors = {
      budget: new DescriptorBudget(descriptorsForConnections(listenersOf(init))),
      entries: entryLinks(init.plan, init.process),
      parking: this.#parking,
      say: (text) => this.#say(text),
    };
    for (const instance of init.plan.instances) {
      if (instance.process === init.process) this.#place(instance);
    }
  }

  receive(message: ToWorker, handle: unknown): void {
    switch (message.type) {
      case 'init':
        return;
      case 'listen':
        void this.#listen(message.hop);
        return;
      case 'endpoints':
        for (const endpoint of message.endpoints) this.#learn(endpoint);
        return;
      case 'begin':
        this.#begin();
        return;
      case 'apply': {
        const accepted = this.#placed.map((one) => one.live.apply(message.action)).includes(true);
        this.#send({ type: 'applied', id: message.id, accepted });
        return;
      }
      case 'endLoad':
        for (const one of this.#placed) one.live.endLoad();
        return;
      case 'account':
        this.#account();
        return;
      case 'freeze':
        this.#clock.freeze();
        return;
      case 'activity':
        this.#send({ type: 'activity', id: message.id, events: this.#events.written });
        return;
      case 'census':
        for (const one of this.#placed) one.context.ends.census();
        this.#events.flush();
        this.#send({ type: 'census' });
        return;
      case 'returned':
        this.#parking.returned(message.ticket, handle);
        return;
      case 'stop':
        void this.#stop();
        return;
    }
  }

  #spoolBlock(block: EventBlock): void {
    if (this.#spool.write(block)) this.#tellLost();
    // What the block tells of earlier losses would be lost with it.
    else this.#lostAgain += lostIn(block);
  }

  #tellLost(): void {
    const lost = this.#spool.takeLost() + this.#lostAgain;
    this.#lostAgain = 0;
    if (lost > 0) this.#events.write(this.#clock.now(), EventKind.lost, 0, 0, 0, lost, 0, 0);
  }

  /** A run without its events shows nothing: the supervisor ends it. */
  #tellUnrecorded(): void {
    const failure = this.#spool.failure ?? this.#policyLog?.failure ?? null;
    if (failure === null || this.#unrecorded) return;
    this.#unrecorded = true;
    this.#send({ type: 'unrecorded', text: failure.message });
  }

  /** The first time that the budget is reached is worth a mark of the run. */
  #say(text: string): void {
    const { process, plan } = this.#init;
    const whole = `process "${plan.processes[process]}": ${text}`;
    this.#send({ type: this.#noted ? 'log' : 'note', text: whole });
    this.#noted = true;
  }

  #place(instance: Instance): void {
    const hop = hopNamed(this.#init.topology, instance.hop);
    const context = this.#contextOf(hop, instance);
    this.#placed.push({ context, live: createHop(context) });
  }

  #contextOf(hop: Hop, instance: Instance): HopContext {
    const { topology, plan, seed, process } = this.#init;
    const shared: ProcessContext = {
      process,
      clock: this.#clock,
      events: this.#events,
      seed,
      plan,
      topology,
      tap: this.#policyLog?.tap ?? noTap,
      log: (text) =>
        this.#send({ type: 'log', text: `${instance.hop}/${instance.replica}: ${text}` }),
    };
    const outgoing = (purpose: Link['purpose']): Link | null =>
      plan.links.find((link) => link.downstream === hop.name && link.purpose === purpose) ?? null;
    return {
      ...shared,
      hop,
      instance,
      incoming: plan.links.filter((link) => link.upstream === hop.name),
      outgoing: outgoing('traffic'),
      alive: outgoing('alive'),
      targets: (link) => this.#targets(link, instance),
      ends: new EndRegistry(
        this.#clock,
        this.#events,
        instance.index,
        this.#numbers,
        this.#descriptors,
      ),
      counters: new HopCounters(this.#latenciesOf(hop)),
      random: (purpose) => randomStream(seed, `${hop.name}/${instance.replica}/${purpose}`),
      tracesUpstream: !isL4(hop) && nearestL7IsForeign(topology, plan, hop, 'upstream'),
      tracedDownstream: !isL4(hop) && nearestL7IsForeign(topology, plan, hop, 'downstream'),
    };
  }

  #latenciesOf({ name }: Hop): Histogram {
    const known = this.#latencies.get(name) ?? new Histogram();
    this.#latencies.set(name, known);
    return known;
  }

  /** On one host, a hop talks to its own host's replica of the next. */
  #targets(link: Link, instance: Instance): readonly Endpoint[] {
    const all = this.#endpoints.get(link.index) ?? [];
    if (instance.host === null) return all;
    const { instances } = this.#init.plan;
    const own = all.filter((one) => instances[one.instance]?.host === instance.host);
    return own.length > 0 ? own : all;
  }

  #learn(endpoint: Endpoint): void {
    const known = this.#endpoints.get(endpoint.link) ?? [];
    known.push(endpoint);
    this.#endpoints.set(endpoint.link, known);
  }

  async #listen(hop: string): Promise<void> {
    const own = this.#placed.filter((one) => one.context.hop.name === hop);
    try {
      const endpoints = (await Promise.all(own.map((one) => one.live.listen()))).flat();
      this.#send({ type: 'listening', hop, endpoints });
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      this.#send({ type: 'failed', hop, code, error: message });
    }
  }

  #begin(): void {
    this.#cpuBefore = process.cpuUsage();
    this.#loop.begin();
    for (const one of this.#placed) one.live.begin();
    if (this.#init.bookless) return;
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS));
    this.#timers.push(setInterval(() => this.#flush(), FLUSH_MS));
  }

  #tick(): void {
    const byHop = new Map<string, Placed[]>();
    for (const one of this.#placed) {
      const name = one.context.hop.name;
      byHop.set(name, [...(byHop.get(name) ?? []), one]);
    }
    const hops = [...byHop].map(([hop, placed]) => tickOf(hop, placed));
    this.#send({ type: 'tick', hops, loopDelay: this.#loop.nextWindow() });
  }

  #account(): void {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const hops = [...new Set(this.#placed.map(({ context }) => context.hop.name))];
    const load = this.#placed.flatMap(({ context }): LoadAccount[] => {
      const { lateness } = context.counters;
      if (lateness === null) return [];
      const { count, p99, max } = lateness;
      return [{ hop: context.hop.name, requests: count, latenessP99: p99, latenessMax: max }];
    });
    const eventLoop = this.#loop.account();
    this.#send({ type: 'account', hops, sockets: socketKind, cpu: user + system, eventLoop, load });
  }

  #flush(): void {
    this.#events.flush();
    this.#tellUnrecorded();
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#loop.stop();
    await Promise.all(this.#placed.map((one) => one.live.stop()));
    this.#events.flush();
    await this.#spool.drained();
    // Now there is room for the last word on what was lost.
    this.#tellLost();
    this.#events.flush();
    // Why they failed is told to the supervisor.
    await this.#spool.close().catch(() => {});
    await this.#policyLog?.close();
    this.#tellUnrecorded();
    this.#send({ type: 'stopped', events: this.#events.written });
  }
}

/** Events that a block says were lost before it. */
function lostIn(block: EventBlock): number {
  let lost = 0;
  for (let row = 0; row < block.count; row++) {
    if (block.kind[row] === EventKind.lost) lost += block.a[row] ?? 0;
  }
  return lost;
}

/** How many at most. */
function listenersOf({ plan, process }: WorkerInit): number {
  let count = 0;
  for (const instance of plan.instances) {
    if (instance.process !== process) continue;
    for (const link of plan.links) {
      if (link.upstream === instance.hop) count += acceptorsOf({ plan, instance }, link);
    }
  }
  return count;
}

function tickOf(hop: string, placed: readonly Placed[]): HopTick {
  const latencies = placed[0]?.context.counters.latencies;
  const p99 = latencies?.quantile(0.99) ?? null;
  latencies?.clear();
  const sum = (pick: (one: HopContext) => number): number =>
    placed.reduce((total, one) => total + pick(one.context), 0);
  const isClient = placed[0]?.context.hop.kind === 'clients';
  return {
    hop,
    open: sum((one) => (isClient ? one.ends.live.size : one.ends.acceptedOpen)),
    opened: sum((one) => (isClient ? one.ends.connectedTotal : one.ends.acceptedTotal)),
    held: sum((one) => one.counters.held),
    active: sum((one) => one.counters.active),
    requests: sum((one) => one.counters.requests),
    answered: sum((one) => one.counters.answered),
    ok: sum((one) => one.counters.ok),
    throttled429: sum((one) => one.counters.throttled429),
    serverErrors5xx: sum((one) => one.counters.serverErrors5xx),
    failed: sum((one) => one.counters.failed),
    p99,
  };
}
