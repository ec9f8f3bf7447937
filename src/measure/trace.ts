/**
 * "For request 3 of client 7, which connection carried it on each link?" Answered from exchange
 * rows alone, by the request's identity that every row of its tree carries.
 */
import type { ExchangeRow } from './rows.ts';

export interface TraceStep {
  /** Index into `RunPlan.links`. */
  readonly link: number;
  readonly connection: number;
  readonly ordinal: number;
  /** From 1; null for external clients. */
  readonly attempt: number | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: number | null;
}

/**
 * The steps of one request in the order in which they began, then from the clients' link to the
 * database's. Empty when nobody sent such a request or it never got a connection. `client` and
 * `request` are the numbers that the group's `requestSent` events gave.
 */
export function trace(
  rows: Iterable<ExchangeRow>,
  group: string,
  client: number,
  request: number,
): TraceStep[] {
  const found: ExchangeRow[] = [];
  for (const row of rows) {
    if (row.clientGroup === group && row.client === client && row.request === request) {
      found.push(row);
    }
  }
  return steps(found);
}

/**
 * The same for external clients, who have no numbers: the ordinal-th request on one connection
 * of the clients' link, followed from row to row.
 */
export function traceConnection(
  rows: Iterable<ExchangeRow>,
  connection: number,
  ordinal: number,
): TraceStep[] {
  const children = new Map<string, ExchangeRow[]>();
  const found: ExchangeRow[] = [];
  for (const row of rows) {
    if (row.connection === connection && row.ordinal === ordinal) found.push(row);
    if (row.parentConnection === null) continue;
    const key = `${row.parentConnection} ${row.parentOrdinal}`;
    children.set(key, [...(children.get(key) ?? []), row]);
  }
  const seen = new Set(found);
  for (const row of found) {
    for (const child of children.get(`${row.connection} ${row.ordinal}`) ?? []) {
      if (seen.has(child)) continue;
      seen.add(child);
      found.push(child);
    }
  }
  return steps(found);
}

function steps(rows: ExchangeRow[]): TraceStep[] {
  return rows
    .sort((x, y) => x.startedAt - y.startedAt || x.link - y.link || x.connection - y.connection)
    .map(({ link, connection, ordinal, attempt, startedAt, endedAt, status }) => ({
      link,
      connection,
      ordinal,
      attempt,
      startedAt,
      endedAt,
      status,
    }));
}
