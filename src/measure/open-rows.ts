/**
 * Rows of what is still open, for whoever looks on while a run goes on: connections that are new
 * or were joined to another since the last look, and requests in flight that are new or were
 * read. What has ended is handed out by the fold itself.
 */
import { connectionRow, openedAtOf } from './connection-rows.ts';
import { exchangeRow } from './exchange-rows.ts';
import type { Fold } from './fold.ts';
import type { RowSinks } from './rows.ts';
import { type Connection, type Exchange, NEVER } from './state.ts';

export class OpenRows {
  readonly #fold: Fold;
  /** What was told of each: its neighbours, and when its request was read. */
  readonly #connections = new WeakMap<Connection, string>();
  readonly #exchanges = new WeakMap<Exchange, number>();

  constructor(fold: Fold) {
    this.#fold = fold;
  }

  tell({
    onConnection,
    onExchange,
  }: Pick<Required<RowSinks>, 'onConnection' | 'onExchange'>): void {
    for (const end of this.#fold.context.ends.all()) {
      const { connection } = end;
      if (connection === null || connection.finished) continue;
      if (connection.connector !== null && end.acceptor) continue;
      this.#tellConnection(connection, onConnection);
      if (connection.chain.first === connection) this.#tellExchanges(connection, onExchange);
    }
  }

  #tellConnection(connection: Connection, onConnection: Required<RowSinks>['onConnection']): void {
    const { connections } = connection.chain;
    const position = connections.indexOf(connection);
    const upstreamConnection = connections[position + 1]?.id ?? null;
    const downstreamConnection = connections[position - 1]?.id ?? null;
    const isWhole = connection.acceptor !== null && connection.connector !== null;
    const told = `${upstreamConnection} ${downstreamConnection} ${isWhole}`;
    if (this.#connections.get(connection) === told) return;
    this.#connections.set(connection, told);
    onConnection(
      connectionRow(connection, {
        outcome: 'open',
        openedAt: openedAtOf(connection),
        closedAt: null,
        closedBy: null,
        exchanges: null,
        upstreamConnection,
        downstreamConnection,
      }),
    );
  }

  #tellExchanges({ chain }: Connection, onExchange: Required<RowSinks>['onExchange']): void {
    for (const exchange of chain.exchanges) {
      const began = exchange.sentAt === NEVER ? exchange.readAt : exchange.sentAt;
      if (began === NEVER || this.#exchanges.get(exchange) === exchange.readAt) continue;
      this.#exchanges.set(exchange, exchange.readAt);
      onExchange(exchangeRow(chain, chain.first, exchange, began));
    }
  }
}
