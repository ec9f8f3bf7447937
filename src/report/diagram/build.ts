/**
 * Builds the incident's two diagrams of a client's requests.
 *
 * *Assumed*: one client connection gives one TCP connection at every level, so each arrow bears a
 * 1. *Actual*: which connection carried each request on each link, from the ledger's rows. A
 * request that never got through ends where it was stopped, with a note that says so.
 *
 * Counting begins with the client's first request, whichever requests are drawn: a link that has
 * seen three connections says 3, not 1. Answers are drawn on the client's own link only; drawn on
 * every link they would double the picture and say nothing about connections.
 */
import type { ConnectionRow } from '../../measure/rows.ts';
import type { RunPlan } from '../../model/run.ts';
import type { Hop, Topology } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { type ClientRows, type ExchangeNode, exchangeTrees } from './client-rows.ts';
import { DiagramError } from './error.ts';
import { chainOf, Lifelines, type UpTo } from './lifelines.ts';
import type { Arrow, Note, SequenceModel, Step } from './sequence.ts';

/** A wait for a slot that is worth a note. */
const NOTED_WAIT: Micros = 10_000;

const LEGEND = 'a number counts the distinct connections used so far on that link for this client';

export interface SequenceInput {
  readonly client: ClientRows;
  /** At least those that the client's exchanges name. */
  readonly connections: ReadonlyMap<number, ConnectionRow>;
  readonly topology: Topology;
  readonly plan: RunPlan;
  /** Until when the run was observed (µs on the events' clock); null = not known. */
  readonly until: Micros | null;
}

export interface SequenceOptions {
  readonly which: 'assumed' | 'actual';
  /** First and last request, both inclusive, from 1. */
  readonly requests: readonly [number, number];
  /** The last hop that is drawn; default: the web server, as in the incident. */
  readonly upTo?: UpTo;
}

/** One attempt of one of the client's requests. */
interface Attempt {
  readonly request: number;
  readonly attempt: number;
  readonly root: ExchangeNode;
}

/** Throws a DiagramError (`unknown-request`) if none of the requests was made. */
export function buildSequence(input: SequenceInput, options: SequenceOptions): SequenceModel {
  const attempts = attemptsOf(input);
  const drawn = attempts.filter(
    ({ request }) => request >= options.requests[0] && request <= options.requests[1],
  );
  if (drawn.length === 0) throw unknownRequest(input.client, attempts, options.requests);
  const hops = chainOf(input.topology, input.client.group, options.upTo ?? 'web-server');
  return options.which === 'assumed'
    ? new Assumed(input, hops).build(drawn, options.requests)
    : new Actual(input, hops, drawn).build(attempts, options.requests);
}

function attemptsOf(input: SequenceInput): Attempt[] {
  const { client, plan, connections } = input;
  const own = plan.links.find((link) => link.downstream === client.group);
  const roots = exchangeTrees(client.exchanges, connections, (row) => row.link === own?.index);
  const attempts = roots.map((root): Attempt => {
    const { ordinal, request, attempt } = root.row;
    return { request: request ?? ordinal, attempt: attempt ?? 1, root };
  });
  return attempts.sort(
    (x, y) =>
      x.request - y.request || x.attempt - y.attempt || x.root.row.startedAt - y.root.row.startedAt,
  );
}

function unknownRequest(
  client: ClientRows,
  attempts: readonly Attempt[],
  [from, to]: readonly [number, number],
): DiagramError {
  const first = attempts[0]?.request;
  const last = attempts.at(-1)?.request;
  const there = first === undefined ? 'none' : `${first}..${last}`;
  const text = `client ${client.label} made no request ${from}..${to}; it made ${there}`;
  return new DiagramError('unknown-request', text);
}

/** What both diagrams share: the hops, their lifelines, and the way up a link. */
abstract class Drawing {
  protected readonly input: SequenceInput;
  protected readonly hops: readonly Hop[];
  protected readonly lifelines: Lifelines;
  protected readonly steps: Step[] = [];

  constructor(input: SequenceInput, hops: readonly Hop[], replicas: readonly number[]) {
    this.input = input;
    this.hops = hops;
    this.lifelines = new Lifelines(input.topology, hops, replicas);
  }

  protected model(
    which: SequenceModel['which'],
    [from, to]: readonly [number, number],
    countOn: (link: number) => number,
  ): SequenceModel {
    const requests = from === to ? `request ${from}` : `requests ${from} to ${to}`;
    return {
      which,
      subject: `client ${this.input.client.label}, ${requests}`,
      participants: this.lifelines.participants,
      legend: this.#legend(),
      steps: this.steps,
      totals: this.#totals(countOn),
    };
  }

  #totals(countOn: (link: number) => number): SequenceModel['totals'] {
    return this.hops.slice(1).flatMap((hop, i) => {
      const name = `${this.hops[i]?.name ?? ''}->${hop.name}`;
      const link = this.input.plan.links.find((one) => one.name === name);
      return link === undefined ? [] : [{ link: name, count: countOn(link.index) }];
    });
  }

  protected divide(request: number, attempt: number): void {
    const again = attempt > 1 ? `, attempt ${attempt}` : '';
    this.steps.push({ step: 'divider', text: `request ${request}${again}` });
  }

  /** Draws one exchange going up one link; through the host first, where there is one. */
  protected up(
    downstream: string,
    upstream: Hop,
    on: Pick<Arrow, 'count' | 'connection' | 'isFirst'>,
    replicas: { readonly from: number | null; readonly to: number | null },
  ): void {
    const from = this.lifelines.hop(downstream, replicas.from);
    const to = this.lifelines.hop(upstream.name, replicas.to);
    if (from === null || to === null) return;
    const host = this.lifelines.hostBefore(upstream.name, replicas.to);
    const plain = { text: null, isTrouble: false };
    const arrow: Arrow = { step: 'arrow', style: 'request', from, to, ...plain, ...on };
    if (host === null) {
      this.steps.push(arrow);
      return;
    }
    this.steps.push({ ...arrow, to: host });
    this.steps.push({ ...arrow, from: host, style: 'repeat', text: 'same link' });
  }

  protected answer(text: string, isTrouble: Arrow['isTrouble']): void {
    const [client, next] = this.hops;
    const to = client === undefined ? null : this.lifelines.hop(client.name, null);
    const from = next === undefined ? null : this.lifelines.hop(next.name, null);
    if (from === null || to === null) return;
    this.steps.push({
      step: 'arrow',
      style: 'answer',
      from,
      to,
      count: null,
      connection: null,
      text,
      isFirst: false,
      isTrouble,
    });
  }

  /** What the numbers mean, and what a host is, said in the picture itself. */
  #legend(): Note[] {
    const first = this.lifelines.participants[0];
    const last = this.lifelines.participants.at(-1);
    if (first === undefined || last === undefined) return [];
    const over = [first.id, last.id] as const;
    const legend: Note[] = [{ step: 'note', over, text: LEGEND, isTrouble: false }];
    this.hops.forEach((hop, i) => {
      const host = this.lifelines.hostBefore(hop.name, null);
      if (host === null) return;
      const link = `${this.hops[i - 1]?.name ?? 'nothing'} to ${hop.name}`;
      const text = `a host is not a hop: its arrow repeats the link ${link}`;
      legend.push({ step: 'note', over: [host], text, isTrouble: false });
    });
    return legend;
  }
}

class Assumed extends Drawing {
  constructor(input: SequenceInput, hops: readonly Hop[]) {
    super(input, hops, []);
  }

  build(drawn: readonly Attempt[], requests: readonly [number, number]): SequenceModel {
    for (const request of new Set(drawn.map((one) => one.request))) {
      this.divide(request, 1);
      this.hops.forEach((hop, i) => {
        const before = this.hops[i - 1];
        const on = { count: 1, connection: null, isFirst: request === requests[0] };
        if (before !== undefined) this.up(before.name, hop, on, { from: null, to: null });
      });
      this.answer('answer', false);
    }
    return this.model('assumed', requests, () => 1);
  }
}

class Actual extends Drawing {
  /** Per link, the connections used so far. */
  readonly #used = new Map<number, Set<number>>();

  constructor(input: SequenceInput, hops: readonly Hop[], drawn: readonly Attempt[]) {
    super(input, hops, replicasOf(input, drawn));
  }

  build(attempts: readonly Attempt[], requests: readonly [number, number]): SequenceModel {
    const [from, to] = requests;
    for (const { request, attempt, root } of attempts) {
      if (request > to) break;
      if (request >= from) this.divide(request, attempt);
      this.#walk(root, null, request >= from);
      if (request >= from) this.#outcome(root);
    }
    return this.model('actual', requests, (link) => this.#used.get(link)?.size ?? 0);
  }

  /** Counts an exchange and what it caused; draws it too, if it is one of those asked for. */
  #walk(node: ExchangeNode, fromReplica: number | null, draw: boolean): void {
    const { row } = node;
    const link = this.input.plan.links[row.link];
    const position = this.hops.findIndex((hop) => hop.name === link?.upstream);
    const upstream = this.hops[position];
    const downstream = this.hops[position - 1];
    if (upstream === undefined || downstream === undefined) return;
    if (downstream.name !== link?.downstream) return;
    const used = this.#used.get(row.link) ?? new Set();
    const isFirst = !used.has(row.connection);
    used.add(row.connection);
    this.#used.set(row.link, used);
    const to = this.lifelines.groupOf(upstream.name) === null ? null : replicaOf(this.input, node);
    if (draw) {
      const on = { count: used.size, connection: `c${row.connection}`, isFirst };
      this.up(downstream.name, upstream, on, { from: fromReplica, to });
      this.#remark(node, upstream, to);
    }
    for (const next of node.next) this.#walk(next, to, draw);
  }

  /** What happened to an exchange at the hop that it reached. */
  #remark(node: ExchangeNode, hop: Hop, replica: number | null): void {
    const over = this.lifelines.hop(hop.name, replica);
    const isLast = hop === this.hops.at(-1);
    const text = isLast ? null : this.#remarkText(node, hop);
    if (over === null || text === null) return;
    this.steps.push({ step: 'note', over: [over], text, isTrouble: true });
  }

  #remarkText(node: ExchangeNode, hop: Hop): string | null {
    const { row, next } = node;
    const first = next[0];
    if (first !== undefined) {
      const waited = first.row.startedAt - row.startedAt;
      const atQueue = hop.kind === 'connection-queue' && waited >= NOTED_WAIT;
      return atQueue ? `waited ${duration(waited)} for a slot` : null;
    }
    const end = row.endedAt ?? this.input.until;
    const lasted = end === null ? 'to the end' : `for ${duration(end - row.startedAt)}`;
    if (hop.kind === 'connection-queue') return this.#heldText(row.connection, hop, lasted);
    const answered = hop.kind !== 'l4-balancer' && row.status !== null && row.status > 0;
    return answered ? `answered here: ${row.status}` : 'went no further';
  }

  #heldText(
    connection: number,
    hop: Extract<Hop, { kind: 'connection-queue' }>,
    lasted: string,
  ): string {
    // A connection that was relayed on before has yielded its slot, or its request came too late.
    const relayed = this.input.connections.get(connection)?.upstreamConnection ?? null;
    if (relayed !== null) return `waited for a slot ${lasted}, not passed on`;
    return hop.whileHeld === 'unread' ? `held, unread ${lasted}` : `held without a slot ${lasted}`;
  }

  #outcome(root: ExchangeNode): void {
    const { status, failure, startedAt, endedAt } = root.row;
    if (endedAt === null || status === null) {
      const client = this.lifelines.participants[0];
      const text = 'no answer by the end of the recording';
      const note = { step: 'note', text, isTrouble: true } as const;
      if (client !== undefined) this.steps.push({ ...note, over: [client.id] });
      return;
    }
    const failed = failure !== null && failure !== 'none';
    const what = failed ? failure.replaceAll('_', ' ') : String(status);
    this.answer(`${what} after ${duration(endedAt - startedAt)}`, failed || status >= 400);
  }
}

/** The host numbers that the drawn attempts reached, ascending. */
function replicasOf(input: SequenceInput, drawn: readonly Attempt[]): number[] {
  const found = new Set<number>();
  const todo = drawn.map((one) => one.root);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    const replica = replicaOf(input, node);
    if (replica !== null) found.add(replica);
    todo.push(...node.next);
  }
  return [...found].sort((x, y) => x - y);
}

/** The host on which an exchange's connection ends; if that end is foreign, where it begins. */
function replicaOf(input: SequenceInput, node: ExchangeNode): number | null {
  const { topology, plan, connections } = input;
  const upstream = plan.links[node.row.link]?.upstream ?? '';
  const group = topology.hosts.find((one) => one.hops.includes(upstream));
  const connection = connections.get(node.row.connection);
  if (group === undefined || connection === undefined) return null;
  for (const end of [connection.acceptorInstance, connection.connectorInstance]) {
    const instance = end === null ? undefined : plan.instances[end];
    if (instance !== undefined && group.hops.includes(instance.hop)) return instance.replica;
  }
  return null;
}

/** `850 µs`, `12 ms`, `3.2 s`. */
export function duration(micros: Micros): string {
  if (micros < 1_000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${Math.round(micros / 1_000)} ms`;
  return `${(micros / 1_000_000).toFixed(1)} s`;
}
