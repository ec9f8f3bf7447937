/**
 * The rows of one client, picked out of a recording, and how they hang together.
 *
 * A client is named by its number in its group. Clients of somebody else's program (JMeter, curl)
 * have no number: each of their connections stands for one, named by the connection's number, and
 * its requests are numbered as they came on it.
 *
 * The exchange before another one: through an L4 relay it has the same ordinal on the connection
 * that the relay joined to this one; at an L7 hop it is the parent.
 */
import type { ConnectionRow, ExchangeRow } from '../../measure/rows.ts';
import type { RunPlan } from '../../model/run.ts';
import type { Topology } from '../../model/topology.ts';
import { DiagramError } from './error.ts';

/** A diagram of a few requests needs a few hundred rows; this is a guard, not a setting. */
export const CLIENT_EXCHANGES_MAX = 500_000;
const LISTED_MAX = 20;

export interface ClientChoice {
  /** null = the only group that has such a client. */
  readonly group: string | null;
  readonly number: number;
}

const CLIENT = /^(?:(.+)\/)?(\d{1,15})$/;

/** Whether it may name a client: the recording says whether it does. */
export function isClient(text: string): boolean {
  return CLIENT.test(text.trim());
}

/** `7` or `mobile/7`. Throws a DiagramError (`unknown-client`) for anything else. */
export function parseClient(text: string): ClientChoice {
  const match = CLIENT.exec(text.trim());
  if (match === null) {
    throw new DiagramError(
      'unknown-client',
      `"${text}" names no client; write its number (7), or group and number (mobile/7)`,
    );
  }
  return { group: match[1] ?? null, number: Number(match[2]) };
}

export interface ClientRows {
  /** Name of the clients hop. */
  readonly group: string;
  /** `mobile/7`, or `mobile connection 12` for external clients. */
  readonly label: string;
  readonly external: boolean;
  readonly exchanges: readonly ExchangeRow[];
}

/** Takes all exchanges of a recording, batch by batch, and keeps those that may be the client's. */
export class ClientCollector {
  readonly #choice: ClientChoice;
  readonly #clientLinks: ReadonlyMap<number, string>;
  readonly #own = new Map<string, ExchangeRow[]>();
  readonly #external: ExchangeRow[] = [];
  readonly #seen = new Map<string, { lowest: number; highest: number }>();
  readonly #seenExternal = new Set<number>();

  constructor(choice: ClientChoice, topology: Topology, plan: RunPlan) {
    this.#choice = choice;
    const clients = topology.hops.filter((hop) => hop.kind === 'clients').map((hop) => hop.name);
    const links = plan.links.filter((link) => clients.includes(link.downstream));
    this.#clientLinks = new Map(links.map((link) => [link.index, link.downstream]));
  }

  take(rows: readonly ExchangeRow[]): void {
    const { number } = this.#choice;
    for (const row of rows) {
      this.#note(row);
      if (row.client === number && row.clientGroup !== null) this.#keep(row.clientGroup, row);
      if (row.client === null && row.clientConnection === number) push(this.#external, row);
    }
  }

  /** Throws a DiagramError: `unknown-client`. */
  result(): ClientRows {
    const { group, number } = this.#choice;
    const groups = [...this.#own.keys()].filter((name) => group === null || name === group);
    const [own] = groups;
    if (groups.length > 1) {
      const names = groups.map((name) => `${name}/${number}`).join(' or ');
      throw new DiagramError('unknown-client', `there is more than one client ${number}: ${names}`);
    }
    if (own !== undefined) {
      const exchanges = this.#own.get(own) ?? [];
      return { group: own, label: `${own}/${number}`, external: false, exchanges };
    }
    return this.#externalResult();
  }

  #externalResult(): ClientRows {
    const { group, number } = this.#choice;
    const root = this.#external.find((row) => row.connection === number);
    const hop = root === undefined ? undefined : this.#clientLinks.get(root.link);
    if (hop === undefined || (group !== null && group !== hop)) {
      const name = group === null ? String(number) : `${group}/${number}`;
      throw new DiagramError('unknown-client', `there is no client ${name}; ${this.#listed()}`);
    }
    const label = `${hop} connection ${number}`;
    return { group: hop, label, external: true, exchanges: this.#external };
  }

  #keep(group: string, row: ExchangeRow): void {
    const rows = this.#own.get(group) ?? [];
    push(rows, row);
    this.#own.set(group, rows);
  }

  #note(row: ExchangeRow): void {
    if (row.client !== null && row.clientGroup !== null) {
      const { client } = row;
      const seen = this.#seen.get(row.clientGroup) ?? { lowest: client, highest: client };
      seen.lowest = Math.min(seen.lowest, client);
      seen.highest = Math.max(seen.highest, client);
      this.#seen.set(row.clientGroup, seen);
    } else if (this.#clientLinks.has(row.link) && this.#seenExternal.size <= LISTED_MAX) {
      this.#seenExternal.add(row.connection);
    }
  }

  #listed(): string {
    const own = [...this.#seen].map(([group, { lowest, highest }]) =>
      lowest === highest ? `${group}/${lowest}` : `${group}/${lowest} to ${group}/${highest}`,
    );
    if (this.#seenExternal.size > 0) {
      const numbers = [...this.#seenExternal].sort((x, y) => x - y);
      const more = numbers.length > LISTED_MAX ? ', ...' : '';
      own.push(`external connections ${numbers.slice(0, LISTED_MAX).join(', ')}${more}`);
    }
    return own.length === 0 ? 'the recording has no requests' : `there are ${own.join('; ')}`;
  }
}

function push(rows: ExchangeRow[], row: ExchangeRow): void {
  if (rows.length >= CLIENT_EXCHANGES_MAX) {
    throw new DiagramError(
      'too-many-exchanges',
      `the client has more than ${CLIENT_EXCHANGES_MAX} exchanges`,
    );
  }
  rows.push(row);
}

/** One exchange on one link, and what it caused on the next one. */
export interface ExchangeNode {
  readonly row: ExchangeRow;
  readonly next: ExchangeNode[];
}

/** Links rows into trees; returns the roots, which are exchanges on a clients' link. */
export function exchangeTrees(
  rows: readonly ExchangeRow[],
  connections: ReadonlyMap<number, ConnectionRow>,
  isRoot: (row: ExchangeRow) => boolean,
): ExchangeNode[] {
  const nodes = new Map<string, ExchangeNode>();
  for (const row of rows) {
    nodes.set(nodeKey(row.connection, row.ordinal), { row, next: [] });
  }
  const roots: ExchangeNode[] = [];
  for (const node of nodes.values()) {
    const before = isRoot(node.row) ? null : nodeBefore(node.row, nodes, connections);
    if (before !== null) before.next.push(node);
    else if (isRoot(node.row)) roots.push(node);
  }
  for (const node of nodes.values()) node.next.sort(byStart);
  return roots;
}

function nodeBefore(
  row: ExchangeRow,
  nodes: ReadonlyMap<string, ExchangeNode>,
  connections: ReadonlyMap<number, ConnectionRow>,
): ExchangeNode | null {
  const relayed = connections.get(row.connection)?.downstreamConnection ?? null;
  const before = relayed === null ? undefined : nodes.get(nodeKey(relayed, row.ordinal));
  if (before !== undefined) return before;
  if (row.parentConnection === null || row.parentOrdinal === null) return null;
  return nodes.get(nodeKey(row.parentConnection, row.parentOrdinal)) ?? null;
}

function nodeKey(connection: number, ordinal: number): string {
  return `${connection}/${ordinal}`;
}

export function byStart(x: ExchangeNode, y: ExchangeNode): number {
  return x.row.startedAt - y.row.startedAt || x.row.link - y.row.link;
}
