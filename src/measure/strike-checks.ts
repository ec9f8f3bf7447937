/**
 * The books at the strike: what the sockets themselves say (census) against what the events
 * say, both ends of every connection against each other, and both against the kernel's table.
 *
 * Explained disagreements are listed and leave the books balanced:
 * - `unseen-close`: a queue that never reads held sockets cannot see that the client left; nor
 *   can the relays between, which wait for the queue's FIN.
 * - `left-while-served`: the client left, and its server has yet to answer, or to close.
 * - `never-accepted`: a listener went away with connections in its backlog, or they were reset
 *   by their own side while they waited there (a host that goes down does both).
 * - `not-accepted-yet`: it waits in the backlog of a listener that does not accept at the moment
 *   (its process is short of descriptors); as many as the kernel's table shows there.
 * - `accept-without-tuple`, `accepted-after-abort`: a connection was reset, or given up, around
 *   the moment of its accept, so that one side never knew it as open.
 * - `connect-pending`: neither up nor failed at the strike.
 * - `process_died`, and whatever is missing at a hop that lost a process.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import { SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import type { Weight } from './books.ts';
import type { FoldContext } from './context.ts';
import type { EndBook } from './end-book.ts';
import type { ExchangeBook } from './exchange-book.ts';
import { checkKernel } from './kernel-check.ts';
import { type Chain, type Connection, type End, EndState, NEVER } from './state.ts';

const PEER_RST = closeCauseCode('peer_rst');
const LOCAL_RST = closeCauseCode('local_rst');

export interface Strike {
  readonly context: FoldContext;
  readonly exchanges: ExchangeBook;
  readonly ends: EndBook;
  /** Per instance: 2 = its census is complete. */
  readonly struck: Uint8Array;
  readonly strikeAt: Micros;
}

export function strikeBooks(strike: Strike): void {
  const { context, exchanges, ends, strikeAt } = strike;
  const all = [...context.ends.all()];
  const hasCensus = context.info.censusAt !== null;
  if (hasCensus) checkCensusComplete(strike);
  for (const end of all) {
    // Without a census the events are all there is.
    if (!hasCensus && end.state === EndState.open) end.census = end.inFlight;
    checkEnd(strike, end);
  }
  const chains = new Set<Chain>();
  for (const end of all) if (end.chain !== null && !end.chain.finished) chains.add(end.chain);
  for (const chain of chains) {
    exchanges.strike(chain, strikeAt);
    for (const connection of chain.connections) checkConnection(context, connection);
  }
  for (const chain of chains) ends.finish(chain);
  for (const group of context.groups) {
    for (const example of group.contradictions()) {
      const text = 'A request is pending although an attempt of it succeeded';
      context.books.report('request-answered-but-pending', 'wrong', null, text, example);
    }
  }
  checkKernel(context);
}

function checkCensusComplete({ context, struck }: Strike): void {
  const dead = new Set(context.info.deaths.map((death) => death.process));
  for (const instance of context.shape.instances) {
    if (instance.process < 0 || dead.has(instance.process)) continue;
    if (struck[instance.index] === 2) continue;
    const text = 'The live sockets of an instance were not counted at the strike';
    context.books.report('census-missing', 'wrong', null, text, instance.name);
  }
}

function checkEnd({ context, ends }: Strike, end: End): void {
  const { books } = context;
  if (end.state === EndState.connecting) {
    const meter = context.links[end.link.index];
    if (meter !== undefined) meter.pendingConnects += 1;
    books.ofEnd('connect-pending', 'explained', end, 'A connect was neither up nor refused');
    return;
  }
  if (end.state === EndState.closed) {
    if (end.inFlight > 0) {
      books.ofEnd(
        'exchange-unfinished',
        'wrong',
        end,
        'A connection closed and its exchange did not',
      );
    }
    return;
  }
  ends.checkRelay(end);
  if (end.census === NEVER) {
    books.ofEnd(
      'not-in-census',
      'wrong',
      end,
      'Open by its events, but no live socket was counted',
    );
    return;
  }
  if (end.census !== end.inFlight) {
    books.ofEnd(
      'census-in-flight',
      'wrong',
      end,
      'Exchanges in flight differ from those by events',
    );
  }
  if (end.censusSlot !== NEVER && end.censusSlot !== end.slot) {
    books.ofEnd('census-slot', 'wrong', end, 'The slot state differs from that by events');
  }
}

function checkConnection(context: FoldContext, connection: Connection): void {
  const { connector, acceptor, link } = connection;
  if (!link.connectorOwn || !link.acceptorOwn) return;
  if (connector === null || acceptor === null) {
    checkOneEnd(context, connection, (connector ?? acceptor) as End);
    return;
  }
  const connectorClosed = connector.state === EndState.closed;
  if (connectorClosed === (acceptor.state === EndState.closed)) return;
  const { books } = context;
  if (connectorClosed && heldAbove(context, acceptor)) {
    const meter = context.links[link.index];
    if (meter !== undefined) meter.unseenCloses += 1;
    const text = 'The client left, and the held socket that is never read cannot see it';
    books.ofEnd('unseen-close', 'explained', acceptor, text);
    return;
  }
  if (connectorClosed && isServed(acceptor.chain)) {
    const text = 'The client left while its request was served: that side closes with the answer';
    books.ofEnd('left-while-served', 'explained', acceptor, text);
    return;
  }
  const weight = context.weightOfLink(link.downstream, link.upstream);
  const open = connectorClosed ? acceptor : connector;
  books.ofEnd('half-closed', weight, open, 'One end is closed and the other is not');
}

/**
 * Does the server at the chain's end still work for it? A foreign one does until it has closed:
 * relays before it have passed the client's FIN on and wait for its.
 */
function isServed(chain: Chain | null): boolean {
  if (chain === null) return false;
  const { connector, acceptor, link } = chain.last;
  if (link.acceptorOwn) return acceptor?.l7 === true && acceptor.inFlight > 0;
  return link.acceptorL7 && connector?.state === EndState.open;
}

/** Is the way from this accepted end to the database barred by a held socket that nobody reads? */
function heldAbove(context: FoldContext, from: End): boolean {
  let end: End | null = from;
  while (end !== null) {
    if (end.slotBook !== null) {
      const { upstream } = end.link;
      const hop = context.info.topology.hops.find((one) => one.name === upstream);
      const unread = hop?.kind === 'connection-queue' && hop.whileHeld === 'unread';
      if (end.slot === SlotState.held && unread) return true;
    }
    end = end.pair?.connection?.acceptor ?? null;
  }
  return false;
}

/** Both sides are ours and only one was told. */
function checkOneEnd(context: FoldContext, connection: Connection, end: End): void {
  const { link } = connection;
  const meter = context.links[link.index];
  if (meter === undefined) return;
  const { books } = context;
  if (end.acceptor) {
    const aborted = meter.failedConnects + meter.connectsWithoutTuple + meter.pendingConnects;
    const explained = meter.acceptedAfterAbort < aborted && end.ordinal === 0;
    if (explained) meter.acceptedAfterAbort += 1;
    const text = 'Accepted although the connect had been given up';
    if (explained) books.ofEnd('accepted-after-abort', 'explained', end, text);
    else oneEnded(context, connection, end);
    return;
  }
  const unanswered = end.state === EndState.closed && end.bytesIn === 0;
  if (unanswered && meter.tuplesMissed < meter.acceptsWithoutTuple) {
    meter.tuplesMissed += 1;
    const text = 'Reset before the acceptor could read its address';
    books.ofEnd('accept-without-tuple', 'explained', end, text);
  } else if (unanswered && (end.cause === PEER_RST || end.cause === LOCAL_RST)) {
    books.ofEnd('never-accepted', 'explained', end, 'Reset by either side before it was accepted');
  } else if (end.bytesIn === 0 && meter.notAcceptedYet < waitingIn(context, link.name)) {
    meter.notAcceptedYet += 1;
    const text = 'It waits in the backlog of a listener that does not accept at the moment';
    books.ofEnd('not-accepted-yet', 'explained', end, text);
  } else oneEnded(context, connection, end);
}

function waitingIn({ info }: FoldContext, link: string): number {
  return info.kernel?.find((one) => one.link === link)?.waitingRows ?? 0;
}

function oneEnded(context: FoldContext, { link }: Connection, end: End): void {
  const weight: Weight = context.weightOfLink(link.downstream, link.upstream);
  context.books.ofEnd('one-ended', weight, end, 'Only one end of the connection was told');
}
