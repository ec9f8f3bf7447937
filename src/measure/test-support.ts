/**
 * For tests of `measure/` only: a script that writes the consistent event streams of a chain
 *
 *   clients -> apigw -> nlb -> queue -> web -> app -> db
 *
 * (or a part of it) with several processes, as real hops would, in as few words as possible.
 * Times are µs after the start of the load.
 */
import { type CloseCause, closeCauseCode } from '../model/close-cause.ts';
import {
  EventKind,
  type ExchangeFailure,
  exchangeFailureCode,
  PARENT_CLIENT,
  PARENT_NONE,
  PARENT_REMOTE,
  PARENT_SAME_HOP,
  SlotState,
} from '../model/event.ts';
import { makePlan } from '../model/plan.ts';
import type { Instance, Link, RunInfo } from '../model/run.ts';
import type { EventRecord } from '../stream/event-list.ts';
import type { ConnectionRow, ExchangeRow, SecondRow } from './rows.ts';
import { type Measured, strike } from './strike.ts';
import { type TopologyOptions, testTopology } from './test-topology.ts';

/** The events' clock does not start at the load: measures must not assume that it does. */
export const ORIGIN = 5_000_000;

export interface EndRef {
  readonly process: number;
  readonly number: number;
  readonly instance: Instance;
  readonly link: Link;
  ordinal: number;
  inFlight: number;
  slot: number;
  open: boolean;
}

/** Both ends of a connection; a foreign end has no number and tells nothing. */
export interface Wire {
  readonly link: Link;
  readonly connector: EndRef;
  readonly acceptor: EndRef;
}

export type Parent =
  | null
  | { readonly client: number; readonly request: number }
  | { readonly end: EndRef; readonly ordinal: number };

type Mutable = { -readonly [Key in keyof EventRecord]: EventRecord[Key] };

export interface Result {
  readonly summary: Measured;
  readonly connections: ConnectionRow[];
  readonly exchanges: ExchangeRow[];
  readonly series: readonly SecondRow[];
}

export class Script {
  now = 0;
  info: RunInfo;
  readonly events: Mutable[] = [];
  readonly ends: EndRef[] = [];
  readonly #numbers: number[] = [];
  #port = 30_000;

  constructor(options: TopologyOptions & { readonly external?: boolean } = {}) {
    const topology = testTopology(options);
    this.info = {
      engine: 'sim',
      version: 'test',
      seed: 1,
      topology,
      topologyHash: 'test',
      plan: makePlan(topology, { externalClients: options.external ?? false }),
      endpoints: [],
      epoch: 0,
      loadStart: ORIGIN,
      loadEnd: null,
      censusAt: null,
      marks: [],
      eventCounts: [],
      kernel: null,
      deaths: [],
      lab: null,
    };
  }

  instance(hop: string, replica = 0): Instance {
    const found = this.info.plan.instances.find(
      (one) => one.hop === hop && one.replica === replica,
    );
    if (found === undefined) throw new Error(`no ${hop}#${replica}`);
    return found;
  }

  at(micros: number): this {
    this.now = micros;
    return this;
  }

  emit(
    instance: Instance,
    kind: EventKind,
    end: number,
    exchange: number,
    a: number,
    b: number,
    c: number,
  ): void {
    const at = ORIGIN + this.now;
    const process = instance.process;
    if (process < 0) return;
    const index = instance.index;
    this.events.push({ process, sequence: -1, at, kind, instance: index, end, exchange, a, b, c });
  }

  /** Opens a connection of a link. The acceptor may tell of it that much earlier or later. */
  connect(name: string, replicas: { from?: number; to?: number; acceptLag?: number } = {}): Wire {
    const link = this.#link(name);
    const client = 0x7f000001 * 65_536 + this.#port++;
    const to = this.instance(link.upstream, replicas.to);
    const server = 0x7f000001 * 65_536 + 1_000 + link.index * 100 + to.replica;
    const connector = this.#end(link, this.instance(link.downstream, replicas.from));
    this.emit(
      connector.instance,
      EventKind.connectStarted,
      connector.number,
      0,
      server,
      0,
      link.index,
    );
    this.emit(
      connector.instance,
      EventKind.connected,
      connector.number,
      0,
      client,
      server,
      link.index,
    );
    const acceptor = this.#end(link, to);
    this.now += replicas.acceptLag ?? 0;
    this.emit(to, EventKind.accepted, acceptor.number, 0, server, client, link.index);
    this.now -= replicas.acceptLag ?? 0;
    return { link, connector, acceptor };
  }

  /** A connect that is refused. */
  refuse(name: string): void {
    const link = this.#link(name);
    const end = this.#end(link, this.instance(link.downstream));
    this.emit(end.instance, EventKind.connectStarted, end.number, 0, 1, 0, link.index);
    this.close(end, 'peer_rst', 0);
  }

  /** The relay that accepted `wire` opens the next connection for it. */
  relay(wire: Wire, name: string, replica?: number, acceptLag = 0): Wire {
    const { process, replica: from } = wire.acceptor.instance;
    const to = replica ?? from;
    const next = this.connect(name, { from, to, acceptLag });
    const paired = this.events.findIndex(
      (event) =>
        event.process === process &&
        event.end === next.connector.number &&
        event.kind === EventKind.connected,
    );
    this.emit(
      wire.acceptor.instance,
      EventKind.paired,
      wire.acceptor.number,
      0,
      next.connector.number,
      0,
      0,
    );
    // A relay pairs as soon as it has asked for the connection, before that is up.
    const row = this.events.pop();
    if (row !== undefined && paired >= 0) this.events.splice(paired, 0, row);
    return next;
  }

  slot(wire: Wire, state: 'held' | 'active' | 'yielded'): void {
    wire.acceptor.slot = SlotState[state];
    this.emit(
      wire.acceptor.instance,
      EventKind.slot,
      wire.acceptor.number,
      0,
      SlotState[state],
      0,
      0,
    );
  }

  begin(end: EndRef, parent: Parent = null): number {
    end.ordinal += 1;
    end.inFlight += 1;
    const [a, b, c] = parentColumns(end, parent);
    this.emit(end.instance, EventKind.exchangeStarted, end.number, end.ordinal, a, b, c);
    return end.ordinal;
  }

  end(end: EndRef, ordinal: number, status = 200, failure: ExchangeFailure = 'none'): void {
    end.inFlight -= 1;
    const code = exchangeFailureCode(failure);
    this.emit(end.instance, EventKind.exchangeEnded, end.number, ordinal, status, code, 0);
  }

  close(end: EndRef, cause: CloseCause, bytes = 100): void {
    end.open = false;
    const code = closeCauseCode(cause);
    this.emit(end.instance, EventKind.closed, end.number, 0, code, bytes, bytes);
  }

  /** One end decides, the other sees a FIN. */
  closeWire(wire: Wire, decider: 'connector' | 'acceptor', cause: CloseCause): void {
    this.close(wire[decider], cause);
    this.close(wire[decider === 'connector' ? 'acceptor' : 'connector'], 'peer_fin');
  }

  sent(client: number, request: number, intended = this.now, group = 'clients'): void {
    const instance = this.instance(group);
    this.emit(instance, EventKind.requestSent, 0, 0, client, request, ORIGIN + intended);
  }

  done(
    client: number,
    request: number,
    outcome: number | ExchangeFailure,
    group = 'clients',
  ): void {
    const c = typeof outcome === 'number' ? outcome : -exchangeFailureCode(outcome);
    this.emit(this.instance(group), EventKind.requestDone, 0, 0, client, request, c);
  }

  /** Load ends and the census is taken now; kernel counts are made to fit. */
  strike(loadEnd = this.now): void {
    for (const instance of this.info.plan.instances) {
      let count = 0;
      for (const end of this.ends) {
        if (!end.open || end.instance.index !== instance.index) continue;
        this.emit(instance, EventKind.census, end.number, 0, end.inFlight, end.slot, 0);
        count += 1;
      }
      this.emit(instance, EventKind.censusDone, 0, 0, count, 0, 0);
    }
    const kernel = this.info.plan.links.map((link) => ({
      link: link.name,
      acceptorRows: this.#live(link, link.upstream),
      connectorRows: this.#live(link, link.downstream),
      waitingRows: 0,
      movedRows: 0,
    }));
    this.info = {
      ...this.info,
      loadEnd: ORIGIN + loadEnd,
      censusAt: ORIGIN + this.now,
      kernel,
    };
  }

  /** Events in merged order, numbered by process. */
  records(): EventRecord[] {
    return numbered([...this.events].sort((x, y) => x.at - y.at || x.process - y.process));
  }

  measure(): Result {
    return measure(this.info, this.records());
  }

  #live(link: Link, hop: string): number {
    return this.ends.filter((end) => end.open && end.link === link && end.instance.hop === hop)
      .length;
  }

  #link(name: string): Link {
    const link = this.info.plan.links.find((one) => one.name === name);
    if (link === undefined) throw new Error(`no link ${name}`);
    return link;
  }

  #end(link: Link, instance: Instance): EndRef {
    const { process } = instance;
    const number = process < 0 ? 0 : (this.#numbers[process] ?? 0) + 1;
    if (process >= 0) this.#numbers[process] = number;
    const end = { process, number, instance, link, ordinal: 0, inFlight: 0, slot: 0, open: true };
    this.ends.push(end);
    return end;
  }
}

function parentColumns(end: EndRef, parent: Parent): [number, number, number] {
  if (parent === null) return [0, 0, PARENT_NONE];
  if ('client' in parent) return [parent.client, parent.request, PARENT_CLIENT];
  const { process, number } = parent.end;
  const kind = process === end.process ? PARENT_SAME_HOP : PARENT_REMOTE + process;
  return [number, parent.ordinal, kind];
}

/** Gives each event its number within its process, as if the list were all that was written. */
export function numbered(events: readonly EventRecord[]): EventRecord[] {
  const next = new Map<number, number>();
  return events.map((event) => {
    const sequence = next.get(event.process) ?? 0;
    next.set(event.process, sequence + 1);
    return { ...event, sequence };
  });
}

export function counts(events: readonly EventRecord[]): number[] {
  const counted: number[] = [];
  for (const { process } of events) {
    while (counted.length <= process) counted.push(0);
    counted[process] = (counted[process] ?? 0) + 1;
  }
  return counted;
}

/** `written`: how many events each process says it wrote; as many as there are, unless given. */
export function measure(
  info: RunInfo,
  events: readonly EventRecord[],
  written: readonly number[] = counts(events),
): Result {
  const connections: ConnectionRow[] = [];
  const exchanges: ExchangeRow[] = [];
  const { summary, series } = strike(
    { ...info, eventCounts: written },
    (sink) => {
      for (const e of events) {
        sink(e.process, e.sequence, e.at, e.kind, e.instance, e.end, e.exchange, e.a, e.b, e.c);
      }
    },
    {
      onConnection: (row) => connections.push(row),
      onExchange: (row) => exchanges.push(row),
    },
  );
  return { summary, connections, exchanges, series };
}
