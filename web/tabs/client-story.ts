/**
 * One client's rows, as the diagrams of `report/` take them, out of the story. A story tells an
 * exchange on the first connection of its chain only; here it gets a row for each connection of
 * the chain that it reached: beyond a queue only once it was read.
 */
import type { ConnectionRow, ExchangeRow } from '../../src/measure/rows.ts';
import type { SequenceInput } from '../../src/report/diagram/build.ts';
import type { Story } from '../data/story.ts';

/** A client of a long recording has more requests than a diagram can hold. */
const ROWS_MAX = 20_000;

export function sequenceInput(story: Story, group: number, client: number): SequenceInput {
  const { topology, plan } = story.face;
  const groups = topology.hops.filter((hop) => hop.kind === 'clients');
  const name = groups[group]?.name ?? '';
  const connections = new Map<number, ConnectionRow>();
  const exchanges: ExchangeRow[] = [];
  for (const index of exchangesOf(story, group, client)) {
    if (exchanges.length > ROWS_MAX) break;
    exchanges.push(...rowsOf(story, index, connections));
  }
  const label = `${name}/${client}`;
  return {
    client: { group: name, label, external: false, exchanges },
    connections,
    topology,
    plan,
    until: story.until,
  };
}

/** A recording names the client on every link; a run that goes on does, too. */
function exchangesOf({ exchanges }: Story, group: number, client: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < exchanges.count; index++) {
    if (exchanges.client.get(index) === client && exchanges.group.get(index) === group)
      found.push(index);
  }
  return found;
}

function rowsOf(story: Story, index: number, seen: Map<number, ConnectionRow>): ExchangeRow[] {
  const { connections, exchanges, slots } = story;
  const rows: ExchangeRow[] = [];
  const readAt = known(exchanges.readAt.get(index));
  let startedAt = exchanges.startedAt.get(index);
  let one = connections.indexOf(exchanges.connection.get(index));
  for (let hops = 0; one >= 0 && hops < 16; hops++) {
    const id = connections.id.get(one);
    seen.set(id, connectionRow(story, one));
    rows.push({
      ...exchangeRow(story, index),
      link: connections.link.get(one),
      connection: id,
      startedAt,
    });
    const upstream = connections.indexOf(connections.upstream.get(one));
    const isQueue = slots.find(id, Number.POSITIVE_INFINITY) >= 0;
    if (isQueue && readAt === null) break;
    if (isQueue && readAt !== null) startedAt = Math.max(startedAt, readAt);
    one = upstream;
  }
  return rows;
}

function exchangeRow({ connections, exchanges, face }: Story, index: number): ExchangeRow {
  const ended = known(exchanges.endedAt.get(index));
  const parent = exchanges.parent.get(index);
  const groups = face.topology.hops.filter((hop) => hop.kind === 'clients');
  return {
    link: 0,
    connection: 0,
    ordinal: exchanges.ordinal.get(index),
    startedAt: exchanges.startedAt.get(index),
    readAt: known(exchanges.readAt.get(index)),
    answeredAt: ended,
    endedAt: ended,
    status: ended === null ? null : exchanges.status.get(index),
    failure: null,
    parentLink: parent < 0 ? null : connections.link.get(connections.indexOf(parent)),
    parentConnection: parent < 0 ? null : parent,
    parentOrdinal: parent < 0 ? null : exchanges.parentOrdinal.get(index),
    clientGroup: groups[exchanges.group.get(index)]?.name ?? null,
    client: exchanges.client.get(index),
    request: exchanges.request.get(index),
    attempt: exchanges.attempt.get(index),
    clientConnection: null,
  };
}

function connectionRow({ connections }: Story, index: number): ConnectionRow {
  const some = (value: number): number | null => (value < 0 ? null : value);
  return {
    connection: connections.id.get(index),
    link: connections.link.get(index),
    connectorInstance: some(connections.connector.get(index)),
    acceptorInstance: some(connections.acceptor.get(index)),
    connectorAddress: null,
    acceptorAddress: null,
    openedAt: known(connections.openedAt.get(index)),
    closedAt: known(connections.closedAt.get(index)),
    closedBy: null,
    outcome: 'open',
    bytesUp: null,
    bytesDown: null,
    exchanges: null,
    upstreamConnection: some(connections.upstream.get(index)),
    downstreamConnection: some(connections.downstream.get(index)),
    slotTime: null,
    slotBusyTime: null,
    waitedMax: null,
  };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
