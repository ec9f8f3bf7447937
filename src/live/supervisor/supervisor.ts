/**
 * The supervisor of a live run: starts worker processes and foreign servers, listens from the
 * database down to the edge, lets the load go, applies the timeline, and strikes the books.
 *
 *   start ► listen (upstream first) ► begin ► load, ticks, timeline ► strike ► stop ► RunInfo
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe } from '../../model/action-words.ts';
import type { LabAccount } from '../../model/lab.ts';
import { makePlan } from '../../model/plan.ts';
import type { Endpoint, KernelCount, Mark, RunInfo, RunPlan } from '../../model/run.ts';
import { simulatedOnly } from '../../model/simulated-only.ts';
import type { Action, Hop, TimelineEntry, Topology } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { timelineOf } from '../../random/fault-timeline.ts';
import { Clock } from '../runtime/clock.ts';
import { ForeignServers } from './foreign-servers.ts';
import { heapFlags } from './heap-flags.ts';
import { LabMeter } from './lab-meter.ts';
import type { FromWorker, HopTick } from './messages.ts';
import { Strike } from './strike.ts';
import { WorkerProcess } from './worker-process.ts';

export interface LiveOptions {
  readonly topology: Topology;
  readonly topologyHash: string;
  readonly version: string;
  readonly seed: number;
  /** An existing folder for spools and private data of foreign servers. */
  readonly folder: string;
  readonly externalClients: boolean;
  readonly recordPolicies: boolean;
  /** Book nothing at all, to measure what booking costs: the books cannot be struck. */
  readonly bookless: boolean;
  /** Aborting ends the load early; the books are struck as usual. */
  readonly signal: AbortSignal;
  /** Everything listens; the load begins when this has resolved. */
  readonly onStarted: (run: LiveRun) => Promise<void>;
  readonly onTick: (tick: RunTick) => void;
  /** `loadStart` is 0 before the load began. */
  readonly onMark: (mark: Mark, loadStart: Micros) => void;
  readonly onLog: (text: string) => void;
}

/** The state of all hops, about once a second. */
export interface RunTick {
  /** µs since the start of the load. */
  readonly at: Micros;
  readonly hops: readonly HopTick[];
  /** p99 of the event-loop delay over the last second, the worst process. */
  readonly loopDelay: Micros;
}

export class LiveRunError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Runs a topology to its end. Rejects with a coded error when it cannot start. */
export async function runLive(
  options: LiveOptions,
): Promise<{ run: LiveRun; failure: LiveRunError | null }> {
  const run = new LiveRun(options);
  const failure = await run.run();
  return { run, failure };
}

export class LiveRun {
  readonly plan: RunPlan;
  readonly endpoints: Endpoint[] = [];
  readonly marks: Mark[] = [];
  readonly #options: LiveOptions;
  readonly #clock = new Clock();
  readonly #workers: WorkerProcess[] = [];
  readonly #foreign = new ForeignServers((reason) => this.#crash(reason));
  readonly #deaths: { process: number; at: Micros; reason: string }[] = [];
  readonly #latest = new Map<number, { hops: readonly HopTick[]; loopDelay: Micros }>();
  readonly #labMeter = new LabMeter();
  #lab: LabAccount | null = null;
  readonly #ended = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #failure: LiveRunError | null = null;
  #fail: (reason: LiveRunError) => void = () => {};
  /** Rejects when a hop cannot listen or something dies: whoever still starts the run stops. */
  readonly #failed = new Promise<never>((_resolve, reject) => {
    this.#fail = reject;
  });
  #loadStart: Micros = 0;
  #loadEnd: Micros | null = null;
  #censusAt: Micros | null = null;
  #kernel: readonly KernelCount[] | null = null;
  #eventCounts: number[] = [];
  #actions = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.plan = makePlan(options.topology, { externalClients: options.externalClients });
    this.#failed.catch(() => {});
  }

  /** Returns why it ended early, if something died. Rejects when it cannot start. */
  async run(): Promise<LiveRunError | null> {
    const { signal, topology } = this.#options;
    signal.addEventListener('abort', () => this.#ended.abort(), { once: true });
    try {
      await Promise.race([this.#start(), this.#failed]);
      await this.#labMeter.begin(this.#foreign.sessions);
      this.#begin();
      if (!signal.aborted) await this.#load(topology.duration);
      await this.#strike();
    } finally {
      await this.#stop();
    }
    return this.#failure;
  }

  info(): RunInfo {
    const { topology, topologyHash, version, seed, bookless } = this.#options;
    return {
      engine: 'live',
      version,
      seed,
      topology,
      topologyHash,
      plan: this.plan,
      endpoints: this.endpoints,
      epoch: this.#clock.epoch(),
      loadStart: this.#loadStart,
      loadEnd: this.#loadEnd,
      censusAt: bookless ? null : this.#censusAt,
      marks: this.marks,
      eventCounts: this.#eventCounts,
      kernel: bookless ? null : this.#kernel,
      deaths: this.#deaths,
      lab: this.#lab,
    };
  }

  /** Applies a checked action now; false when no hop takes it. */
  async apply(action: Action, text: string | null): Promise<boolean> {
    this.#actions += 1;
    const id = this.#actions;
    const at = this.#clock.now();
    const words = text ?? describe(action);
    if (action.action === 'mark') {
      this.#mark('note', words);
      return true;
    }
    const answers = await Promise.all(
      this.#workers.map((worker) =>
        worker.ask({ type: 'apply', id, action }, 'applied').catch(() => null),
      ),
    );
    const own = this.#foreign.apply(action);
    const taken = own || answers.some((answer) => answer?.accepted === true);
    if (taken) this.#mark(action.action === 'set' ? 'set' : 'fault', words, at);
    return taken;
  }

  /** A timeline entry that no hop takes (a stall of a foreign server) is marked as such. */
  async #applyEntry(entry: TimelineEntry): Promise<void> {
    const taken = await this.apply(entry, entry.text);
    if (!taken) this.#mark('note', `no hop takes this: ${entry.text ?? describe(entry)}`);
  }

  async #start(): Promise<void> {
    const { topology, seed, folder, bookless } = this.#options;
    await mkdir(folder, { recursive: true });
    this.plan.processes.forEach((name, number) => {
      this.#workers.push(
        new WorkerProcess(name, number, heapFlags(topology, this.plan, number), {
          onMessage: (message) => this.#heard(number, message),
          onDeath: (reason) => this.#died(number, reason),
        }),
      );
    });
    const { plan } = this;
    await Promise.all(
      this.#workers.map((worker) =>
        worker.start({
          process: worker.number,
          topology,
          plan,
          seed,
          spool: path.join(folder, `spool-${worker.number}.seg`),
          bookless,
          policyLog: this.#options.recordPolicies
            ? path.join(folder, `policies-${worker.number}`)
            : null,
        }),
      ),
    );
    for (const hop of upstreamFirst(topology)) await this.#listen(hop);
    await this.#options.onStarted(this);
  }

  async #listen(hop: Hop): Promise<void> {
    const own = this.plan.instances.filter((instance) => instance.hop === hop.name);
    const process = own[0]?.process ?? -1;
    let endpoints: readonly Endpoint[];
    if (process >= 0) {
      const worker = this.#workers[process] as WorkerProcess;
      endpoints = (await worker.ask({ type: 'listen', hop: hop.name }, 'listening')).endpoints;
    } else if (hop.kind === 'clients') {
      return;
    } else {
      endpoints = await this.#foreign.start(hop, {
        plan: this.plan,
        topology: this.#options.topology,
        endpoints: this.endpoints,
        logFolder: this.#options.folder,
      });
    }
    this.endpoints.push(...endpoints);
    for (const worker of this.#workers) worker.send({ type: 'endpoints', endpoints });
  }

  #heard(process: number, message: FromWorker): void {
    if (message.type === 'log') this.#options.onLog(message.text);
    if (message.type === 'note') this.#mark('note', message.text);
    if (message.type === 'unrecorded') this.#crash(message.text, 'recording-write-failed');
    if (message.type === 'failed') {
      this.#fail(
        new LiveRunError(message.code, `hop "${message.hop}" cannot listen: ${message.error}`),
      );
    }
    if (message.type === 'tick') {
      this.#latest.set(process, message);
      if (process === 0 && this.#latest.size === this.#workers.length) this.#tick();
    }
  }

  #tick(): void {
    const latest = [...this.#latest.values()];
    const hops = latest.flatMap((one) => one.hops);
    const order = this.#options.topology.hops.map((hop) => hop.name);
    hops.sort((x, y) => order.indexOf(x.hop) - order.indexOf(y.hop));
    const loopDelay = Math.max(...latest.map((one) => one.loopDelay));
    this.#options.onTick({ at: this.#clock.now() - this.#loadStart, hops, loopDelay });
    void this.#labMeter.nextWindow();
  }

  #died(process: number, reason: string): void {
    this.#deaths.push({ process, at: this.#clock.now(), reason });
    this.#crash(reason);
  }

  /** Something died that should not have, or events are lost for good: mark it, end the run. */
  #crash(reason: string, code = 'process-died'): void {
    if (this.#censusAt !== null && code === 'process-died') return;
    this.#mark('crash', reason);
    this.#failure ??= new LiveRunError(code, reason);
    this.#fail(this.#failure);
    this.#ended.abort();
  }

  #begin(): void {
    this.#loadStart = this.#clock.now();
    for (const worker of this.#workers) worker.send({ type: 'begin' });
    const { topology, seed } = this.#options;
    for (const text of simulatedOnly(topology)) this.#mark('note', text);
    for (const entry of timelineOf(topology, seed)) {
      this.#timers.push(setTimeout(() => void this.#applyEntry(entry), entry.at / 1_000));
    }
  }

  #load(duration: Micros): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#ended;
      if (signal.aborted) resolve();
      const timer = setTimeout(resolve, duration / 1_000);
      this.#timers.push(timer);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #strike(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const { externalClients, onLog } = this.#options;
    const strike = new Strike({
      workers: this.#workers,
      clock: this.#clock,
      plan: this.plan,
      endpoints: this.endpoints,
      externalClients,
      onLog,
    });
    this.#loadEnd = await strike.requests();
    this.#lab = await this.#account();
    if (this.#options.bookless) {
      // Nothing was booked that sockets could be counted against.
      this.#censusAt = this.#clock.now();
      return;
    }
    const { censusAt, kernel } = await strike.connections();
    this.#kernel = kernel;
    this.#censusAt = censusAt;
  }

  async #account(): Promise<LabAccount | null> {
    const workers = await Promise.all(
      this.#workers.map(async (worker) => ({
        name: worker.name,
        account: await worker.ask({ type: 'account' }, 'account').catch(() => null),
      })),
    );
    return this.#labMeter.end(workers, this.#foreign.sessions);
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const stopped = await Promise.all(this.#workers.map((worker) => worker.stop()));
    this.#eventCounts = stopped.map((answer) => answer?.events ?? -1);
    await this.#foreign.stop();
  }

  #mark(kind: Mark['kind'], text: string, at = this.#clock.now()): void {
    const mark: Mark = { at, text, kind };
    this.marks.push(mark);
    this.#options.onMark(mark, this.#loadStart);
  }
}

/** Every hop after the hop that it calls. */
function upstreamFirst(topology: Topology): Hop[] {
  const ordered: Hop[] = [];
  const visit = (hop: Hop): void => {
    if (ordered.includes(hop)) return;
    const next = topology.hops.find((one) => one.name === hop.upstream);
    if (next !== undefined) visit(next);
    ordered.push(hop);
  };
  for (const hop of topology.hops) visit(hop);
  return ordered;
}
