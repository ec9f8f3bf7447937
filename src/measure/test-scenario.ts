/**
 * For tests of `measure/` only: one run of the whole chain in which every kind of event occurs,
 * and connections end in most of the ways in which they can.
 */
import type { CloseCause } from '../model/close-cause.ts';
import { EventKind } from '../model/event.ts';
import { type EndRef, Script, type Wire } from './test-support.ts';

const MS = 1_000;

export interface Path {
  readonly gateway: Wire;
  readonly balancer: Wire;
  readonly behind: Wire;
}

/** Gateway to web server through both relays, with a slot. */
export function openPath(script: Script): Path {
  const gateway = script.connect('apigw->nlb');
  const balancer = script.relay(gateway, 'nlb->queue');
  script.slot(balancer, 'active');
  return { gateway, balancer, behind: script.relay(balancer, 'queue->web') };
}

/** A connection that waits at the queue. */
export function openHeld(script: Script): Omit<Path, 'behind'> {
  const gateway = script.connect('apigw->nlb');
  const balancer = script.relay(gateway, 'nlb->queue');
  script.slot(balancer, 'held');
  return { gateway, balancer };
}

export interface Chain extends Path {
  readonly client: Wire;
  readonly app: Wire;
  readonly database: Wire;
}

/** One request all the way to the database and back, `service` µs in all; takes 10 steps. */
export function serve(
  script: Script,
  chain: Chain,
  id: { client: number; request: number },
  service = 10 * MS,
): void {
  const { client, gateway, behind, app, database } = chain;
  const start = script.now;
  script.sent(id.client, id.request);
  const ends = [client, { connector: gateway.connector, acceptor: behind.acceptor }, app, database];
  let parent: { end: EndRef; ordinal: number } | null = null;
  const open: [EndRef, number][] = [];
  ends.forEach(({ connector, acceptor }, depth) => {
    script.at(start + depth * 100);
    open.push([connector, script.begin(connector, parent ?? id)]);
    script.at(start + depth * 100 + 50);
    open.push([acceptor, script.begin(acceptor)]);
    parent = { end: acceptor, ordinal: acceptor.ordinal };
  });
  open.reverse().forEach(([end, ordinal], index) => {
    script.at(start + service - (open.length - 1 - index) * 50).end(end, ordinal, 200);
  });
  script.done(id.client, id.request, 200);
}

/** Every kind of event, most fates of connections. Balanced. */
export function busyRun(): Script {
  const script = new Script({ activeMax: 1, healthCheck: true, clients: 3 });
  const client = script.at(10 * MS).connect('clients->apigw');
  const path = openPath(script);
  const app = script.connect('web->app');
  const database = script.connect('app->db');
  const chain = { client, ...path, app, database };
  script.emit(script.instance('nlb'), EventKind.health, 0, 0, script.instance('web').index, 1, 0);
  script.emit(script.instance('app'), EventKind.station, 0, 0, 1, 0, 0);
  script.emit(script.instance('apigw'), EventKind.mark, 0, 0, 0, 0, 0);
  healthCheck(script.at(15 * MS));
  serve(script.at(20 * MS), chain, { client: 0, request: 1 });
  serve(script.at(40 * MS), chain, { client: 0, request: 2 });
  giveUp(script.at(60 * MS), 1);
  yieldAndReturn(script.at(2_000 * MS), chain);
  script.at(2_500 * MS).refuse('apigw->nlb');
  // The web server's limit is reached; the relays and the gateway only pass the FIN on.
  closePath(script.at(3_000 * MS), path, 5, 'max_requests', 'peer_fin');
  script.at(script.now + 100).closeWire(app, 'acceptor', 'idle_timeout');
  throttle(script.at(3_500 * MS), client);
  pendingAtTheEnd(script.at(3_800 * MS), client, { client: 0, request: 4 });
  script.at(5_000 * MS).strike(4_900 * MS);
  // Teardown does not count.
  script.at(5_100 * MS).close(client.connector, 'shutdown');
  script.at(5_100 * MS).close(client.acceptor, 'peer_rst');
  return script;
}

/** End `decider` of the six of a path (0 = the gateway's) decides; the others pass it on. */
export function closePath(
  script: Script,
  path: Path,
  decider: number,
  cause: CloseCause,
  passed: CloseCause,
): void {
  const { gateway, balancer, behind } = path;
  const ends = [gateway, balancer, behind].flatMap((wire) => [wire.connector, wire.acceptor]);
  const first = ends[decider];
  if (first === undefined) throw new Error(`no end ${decider}`);
  script.close(first, cause);
  const rest = ends.map((end, position) => ({ end, far: Math.abs(position - decider) }));
  for (const { end, far } of rest.sort((x, y) => x.far - y.far)) {
    if (far > 0) script.at(script.now + 100).close(end, passed);
  }
}

function healthCheck(script: Script): void {
  const wire = script.connect('nlb->web#alive');
  script.begin(wire.connector);
  script.begin(wire.acceptor);
  script.at(script.now + 100).end(wire.acceptor, 1);
  script.end(wire.connector, 1);
  script.at(script.now + 100).closeWire(wire, 'connector', 'idle_timeout');
}

/** A request waits at the queue for 1.5 s and times out; its connection stays there unseen. */
export function giveUp(script: Script, client: number): void {
  const wire = script.connect('clients->apigw');
  const held = openHeld(script);
  script.sent(client, 1);
  const attempt = script.begin(wire.connector, { client, request: 1 });
  script.begin(wire.acceptor);
  const { connector } = held.gateway;
  script.begin(connector, { end: wire.acceptor, ordinal: attempt });
  script.at(script.now + 1_500 * MS).end(connector, 1, 0, 'timeout');
  script.end(wire.acceptor, attempt, 504);
  script.end(wire.connector, attempt, 504);
  script.done(client, 1, 504);
  script.at(script.now + 100).closeWire(wire, 'connector', 'client_abort');
  // Nobody reads the held socket, so the gateway's FIN is seen by the balancer only.
  script.close(connector, 'request_timeout');
}

export function yieldAndReturn(script: Script, path: Path): void {
  script.slot(path.balancer, 'yielded');
  script.at(script.now + 10 * MS).slot(path.balancer, 'held');
  script.at(script.now + 10 * MS).slot(path.balancer, 'active');
}

/** 429 from the gateway, a retry, then the client's timeout. */
function throttle(script: Script, client: Wire): void {
  script.sent(0, 3);
  for (const status of [429, 0]) {
    const ordinal = script.begin(client.connector, { client: 0, request: 3 });
    script.begin(client.acceptor);
    script.at(script.now + MS).end(client.acceptor, ordinal, status, status ? 'none' : 'aborted');
    script.end(client.connector, ordinal, status, status ? 'none' : 'timeout');
  }
  script.done(0, 3, 'timeout');
}

/** A request that hangs in a held connection when the load ends. */
export function pendingAtTheEnd(
  script: Script,
  client: Wire,
  id: { client: number; request: number },
): void {
  const path = openHeld(script);
  script.sent(id.client, id.request);
  const ordinal = script.begin(client.connector, id);
  script.begin(client.acceptor);
  script.begin(path.gateway.connector, { end: client.acceptor, ordinal });
}
