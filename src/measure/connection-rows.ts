/** A finished chain: what is left of its exchanges goes out, then a row per connection. */
import { type CloseCause, closeCauseOf } from '../model/close-cause.ts';
import type { FoldContext } from './context.ts';
import type { ExchangeBook } from './exchange-book.ts';
import { bookSpread } from './exchange-rows.ts';
import { rootCause } from './root-cause.ts';
import type { ConnectionOutcome, ConnectionRow } from './rows.ts';
import { type Chain, type Connection, type End, EndState, NEVER } from './state.ts';

/** Nothing can happen to the chain any more: every end of ours is closed, nothing is in flight. */
export function isOver(chain: Chain): boolean {
  for (const { connector, acceptor, link } of chain.connections) {
    if (link.connectorOwn && !isGone(connector)) return false;
    if (link.acceptorOwn && !isGone(acceptor)) return false;
  }
  for (const exchange of chain.exchanges) {
    if (exchange.inFlightDownstream || exchange.inFlightUpstream) return false;
  }
  return true;
}

function isGone(end: End | null): boolean {
  if (end === null || end.state !== EndState.closed) return false;
  // A relay that closes while it still connects: its other side is about to say so.
  return end.pair === null || end.pair.state === EndState.closed;
}

/** Hands out everything of a chain, at its end or at the strike. */
export function finishChain(ctx: FoldContext, exchanges: ExchangeBook, chain: Chain): void {
  if (chain.finished) return;
  chain.finished = true;
  while (chain.exchanges.length > 0) {
    const exchange = chain.exchanges[0];
    if (exchange !== undefined) exchanges.emit(chain, exchange);
  }
  chain.connections.forEach((connection, position) => {
    finishConnection(ctx, chain, connection, position);
  });
}

function finishConnection(
  ctx: FoldContext,
  chain: Chain,
  connection: Connection,
  position: number,
): void {
  const { connector, acceptor, link } = connection;
  const outcome = outcomeOf(connection);
  const cause = outcome === 'closed' ? rootCause(chain, connection, ctx.deadHops) : null;
  const openedAt = openedAtOf(connection);
  const closedAt = Math.max(connector?.closedAt ?? NEVER, acceptor?.closedAt ?? NEVER);
  const meter = ctx.links[link.index];
  if (cause !== null) meter?.connectionClosed(openedAt, closedAt, cause);
  if (outcome === 'open' && meter !== undefined) meter.open += 1;
  ctx.sinks.onConnection?.(
    connectionRow(connection, {
      outcome,
      openedAt,
      closedAt: cause === null ? null : closedAt,
      closedBy: cause === null ? null : closeCauseOf(cause),
      exchanges: link.exchangesKnown ? connection.exchanges : null,
      upstreamConnection: chain.connections[position + 1]?.id ?? null,
      downstreamConnection: chain.connections[position - 1]?.id ?? null,
    }),
  );
  for (const end of [connector, acceptor]) if (end !== null) ctx.ends.remove(end);
  connection.finished = true;
  if (connection.descendants === 0) bookSpread(ctx, connection);
}

/** `open` comes from the sockets themselves: an end without a census row is not open. */
function outcomeOf({ connector, acceptor }: Connection): ConnectionOutcome {
  const ends = [connector, acceptor].filter((end) => end !== null);
  if (ends.some((end) => end.census !== NEVER)) return 'open';
  return ends.every((end) => end.state === EndState.closed) ? 'closed' : 'unaccounted';
}

export function openedAtOf({ connector, acceptor }: Connection): number {
  if (connector === null) return acceptor?.openedAt ?? NEVER;
  return acceptor === null ? connector.openedAt : Math.min(connector.openedAt, acceptor.openedAt);
}

interface Facts {
  readonly outcome: ConnectionOutcome;
  readonly openedAt: number | null;
  readonly closedAt: number | null;
  readonly closedBy: CloseCause | null;
  readonly exchanges: number | null;
  readonly upstreamConnection: number | null;
  readonly downstreamConnection: number | null;
}

export function connectionRow(connection: Connection, facts: Facts): ConnectionRow {
  const { connector, acceptor } = connection;
  const book = acceptor?.slotBook ?? null;
  return {
    connection: connection.id,
    link: connection.link.index,
    connectorInstance: connector?.instance ?? null,
    acceptorInstance: acceptor?.instance ?? null,
    connectorAddress: address(connector?.local, acceptor?.remote),
    acceptorAddress: address(acceptor?.local, connector?.remote),
    ...facts,
    ...bytesOf(connector, acceptor),
    slotTime: book?.slotTime ?? null,
    slotBusyTime: book?.busyTime ?? null,
    waitedMax: book?.waitedMax ?? null,
  };
}

/** A connect that never succeeded: a row, but nothing opened. */
export function emitFailedConnect(ctx: FoldContext, end: End): void {
  ctx.links[end.link.index]?.connectFailed(end.closedAt);
  if (ctx.sinks.onConnection === undefined) return;
  const connection = ctx.ends.create(end.link);
  connection.connector = end;
  ctx.sinks.onConnection(
    connectionRow(connection, {
      outcome: 'failed',
      openedAt: null,
      closedAt: end.closedAt,
      closedBy: closeCauseOf(end.cause),
      exchanges: null,
      upstreamConnection: null,
      downstreamConnection: end.pair?.connection?.id ?? null,
    }),
  );
}

function address(first: number | undefined, second: number | undefined): number | null {
  // 0 stands for an address that could not be read.
  return first || second || null;
}

/** From whichever end told: a closed event carries what that socket sent and received. */
function bytesOf(connector: End | null, acceptor: End | null) {
  if (connector?.state === EndState.closed && !connector.died) {
    return { bytesUp: connector.bytesOut, bytesDown: connector.bytesIn };
  }
  if (acceptor?.state === EndState.closed && !acceptor.died) {
    return { bytesUp: acceptor.bytesIn, bytesDown: acceptor.bytesOut };
  }
  return { bytesUp: null, bytesDown: null };
}
