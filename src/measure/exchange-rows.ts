/** One finished exchange becomes a row on every link that it reached. */
import { EXCHANGE_FAILURES, type ExchangeFailure } from '../model/event.ts';
import type { FoldContext } from './context.ts';
import { queueBit } from './queue-meter.ts';
import type { ExchangeRow } from './rows.ts';
import { type Chain, type Connection, type End, type Exchange, NEVER } from './state.ts';

/** Books an exchange on its links, gives out its rows, and checks that both ends agree. */
export function emitExchange(ctx: FoldContext, chain: Chain, exchange: Exchange): void {
  checkEnds(ctx, chain, exchange);
  chain.connections.forEach((connection, position) => {
    const startedAt = reachedAt(chain, exchange, position);
    if (startedAt === NEVER) return;
    connection.exchanges += 1;
    ctx.links[connection.link.index]?.exchange(startedAt);
    noteCarrier(exchange, connection);
    ctx.sinks.onExchange?.(exchangeRow(chain, connection, exchange, startedAt));
  });
  release(ctx, exchange);
}

/** The connection's life and its last request are over: its spread is known. */
export function bookSpread(ctx: FoldContext, connection: Connection): void {
  const { carriedBy } = connection;
  connection.carriedBy = null;
  const requests = Math.max(connection.connector?.ordinal ?? 0, connection.acceptor?.ordinal ?? 0);
  if (carriedBy === null || requests < 2) return;
  for (const [link, carriers] of carriedBy) ctx.links[link]?.spread(carriers.size);
}

/** When the exchange got onto the connection at `position` of its chain; NEVER = it did not. */
function reachedAt(chain: Chain, exchange: Exchange, position: number): number {
  const { sentAt, readAt } = exchange;
  if (sentAt === NEVER) return readAt;
  if (position === 0) return sentAt;
  const connection = chain.connections[position] as Connection;
  let at = sentAt;
  for (const end of chain.queueEnds) {
    if (chain.connections.indexOf(end.connection as Connection) >= position) continue;
    const granted = (exchange.granted & queueBit(chain, end)) !== 0;
    if (!granted && readAt === NEVER) return NEVER;
    if (granted) at = Math.max(at, exchange.grantedAt);
  }
  // An L7 end of ours that has not read it is the better witness: the bytes may be on their way.
  if (connection.link.acceptorL7 && connection.link.acceptorOwn && readAt === NEVER) return NEVER;
  return readAt === NEVER ? at : Math.min(at, readAt);
}

export function exchangeRow(
  chain: Chain,
  connection: Connection,
  exchange: Exchange,
  startedAt: number,
): ExchangeRow {
  const { root, parentEnd } = exchange;
  const parent = parentEnd?.connection ?? null;
  const downstream = chain.expectsDownstream && exchange.sentAt !== NEVER;
  const endedAt = downstream ? exchange.doneAt : exchange.answeredAt;
  const ended = endedAt !== NEVER;
  return {
    link: connection.link.index,
    connection: connection.id,
    ordinal: exchange.ordinal,
    startedAt,
    readAt: known(exchange.readAt),
    answeredAt: known(exchange.answeredAt),
    endedAt: known(endedAt),
    status: ended ? (downstream ? exchange.doneStatus : exchange.answeredStatus) : null,
    failure: ended ? failureOf(downstream ? exchange.doneFailure : exchange.answeredFailure) : null,
    parentLink: parent?.link.index ?? null,
    parentConnection: parent?.id ?? null,
    parentOrdinal: parent === null ? null : exchange.parentOrdinal,
    clientGroup: root?.group ?? null,
    client: root === null ? null : known(root.client),
    request: root === null ? null : known(root.request),
    attempt: root === null ? null : known(root.attempt),
    clientConnection: root?.end.connection?.id ?? null,
  };
}

function known(value: number): number | null {
  return value === NEVER ? null : value;
}

function failureOf(code: number): ExchangeFailure | null {
  return code === 0 ? null : (EXCHANGE_FAILURES[code] ?? 'protocol_error');
}

function noteCarrier(exchange: Exchange, connection: Connection): void {
  const client = exchange.counted ? (exchange.root?.end.connection ?? null) : null;
  if (client === null || connection.link.alive) return;
  client.carriedBy ??= new Map();
  const carriers = client.carriedBy.get(connection.link.index);
  if (carriers === undefined) client.carriedBy.set(connection.link.index, new Set([connection.id]));
  else carriers.add(connection.id);
}

function release(ctx: FoldContext, exchange: Exchange): void {
  const client = exchange.counted ? (exchange.root?.end.connection ?? null) : null;
  if (client === null) return;
  client.descendants -= 1;
  if (client.finished && client.descendants === 0) bookSpread(ctx, client);
}

function checkEnds(ctx: FoldContext, chain: Chain, exchange: Exchange): void {
  const told = chain.expectsDownstream && exchange.sentAt === NEVER;
  const end = chain.upstreamEnd ?? chain.downstreamEnd;
  if (end === null) return;
  if (told) {
    const text = 'A request was read that nobody had sent';
    report(ctx, chain, 'read-but-never-sent', end, exchange, text);
  }
  if (!chain.expectsUpstream || exchange.readAt !== NEVER || exchange.doneStatus <= 0) return;
  const text = 'A request was answered that nobody had read';
  report(ctx, chain, 'answered-but-never-read', end, exchange, text);
}

function report(
  ctx: FoldContext,
  chain: Chain,
  kind: string,
  end: End,
  exchange: Exchange,
  text: string,
): void {
  const example = `exchange ${exchange.ordinal}: ${ctx.books.nameOf(end)}`;
  ctx.books.report(kind, ctx.weightOf(chain), end.link.name, text, example);
}
