/** The shared `KeepAlives` policy on the connections that hops have accepted. */
import { closeCauseCode } from '../../model/close-cause.ts';
import type { Instance } from '../../model/run.ts';
import type { KeepAliveSettings } from '../../policy/keep-alive.ts';
import type { KeepAlivesPort } from '../../policy/keep-alives.ts';
import type { PolicyTap } from '../../policy/tap.ts';
import type { Engine } from '../engine/engine.ts';
import { EventOf, Next } from '../engine/event.ts';
import { Sleepers } from '../engine/sleepers.ts';
import type { Connections } from '../net/connections.ts';
import * as of from '../net/connections.ts';
import type { Network } from '../net/network.ts';
import { type KeepAliveMachine, keepAliveMachine } from '../recorded-policies.ts';

export class ServerConnections implements KeepAlivesPort {
  readonly #engine: Engine;
  readonly #network: Network;
  readonly #connections: Connections;
  readonly #policy: KeepAliveMachine;
  readonly #sleepers: Sleepers;
  /** By instance: its number at the policy. */
  readonly #servers: number[] = [];

  constructor(network: Network, tap: PolicyTap) {
    const { engine, connections } = network;
    this.#engine = engine;
    this.#network = network;
    this.#connections = connections;
    this.#sleepers = new Sleepers(engine, EventOf.server);
    const columns = { rows: connections, column: of.KEEP_ALIVE_COLUMN };
    this.#policy = keepAliveMachine(tap, this, columns);
  }

  /** An instance that keeps its connections so. */
  serve({ index, hop, replica }: Instance, limits: KeepAliveSettings): void {
    const server = this.#policy.add(limits, `${hop}/${replica}/keep-alive`);
    this.#servers[index] = server;
    this.#sleepers.room(server);
  }

  // The policy's port

  lastRequest(_server: number, connection: number, cause: number): void {
    this.#connections.put(connection, of.LAST_CAUSE, cause);
  }

  /** A request that comes from now on is not read any more. */
  close(_server: number, connection: number, cause: number): void {
    this.#connections.unset(connection, of.READING);
    const stamp = this.#connections.get(connection, of.STAMP);
    this.#engine.next(Next.closeServed, connection, cause, stamp);
  }

  wakeAt(server: number, time: number): void {
    this.#sleepers.wakeAt(server, time);
  }

  happens(server: number): void {
    if (this.#sleepers.isDue(server)) this.#policy.wake(server, this.#engine.now);
  }

  /** Closes it, unless it has gone by itself meanwhile, and its number with it. */
  closes(connection: number, cause: number, stamp: number): void {
    if (this.#connections.get(connection, of.STAMP) !== stamp) return;
    if (!this.#connections.has(connection, of.KEPT_ALIVE)) return;
    this.end(this.#network.listenerOf(connection).instance, connection, cause);
  }

  // For hops, by the instance that has accepted

  /** Those of an instance that wait for a request. */
  idle(instance: number): number {
    return this.#policy.idle(this.#servers[instance] ?? 0);
  }

  /** Reads what the next request on it will need; what it is says nothing. */
  glance(connection: number): number {
    return this.#policy.glance(connection);
  }

  add(instance: number, connection: number): void {
    this.#connections.set(connection, of.KEPT_ALIVE);
    this.#policy.opened(this.#servers[instance] ?? 0, this.#engine.now, connection);
  }

  begun(instance: number, connection: number): void {
    this.#policy.requestStarted(this.#servers[instance] ?? 0, this.#engine.now, connection);
  }

  configure(instance: number, limits: KeepAliveSettings): void {
    this.#policy.configure(this.#servers[instance] ?? 0, this.#engine.now, limits);
  }

  closeIdle(instance: number, count: number): void {
    this.#policy.closeIdle(this.#servers[instance] ?? 0, this.#engine.now, count);
  }

  /** Answers, and closes if this was the connection's last answer, or the client has finished. */
  answer(instance: number, connection: number, exchange: number, bytes: number): void {
    const connections = this.#connections;
    const last = connections.get(connection, of.LAST_CAUSE);
    const finished = connections.has(connection, of.CONNECTOR_FIN) ? CAUSES.peerFin : 0;
    const cause = last === 0 ? finished : last;
    if (cause === 0) {
      this.#policy.responseEnded(this.#servers[instance] ?? 0, this.#engine.now, connection);
      this.#network.answer(connection, exchange, bytes, false);
      return;
    }
    this.forget(instance, connection);
    this.#network.lastAnswer(connection, exchange, bytes, cause);
  }

  /** Closes its socket; what is in flight is the hop's business, and was before. */
  end(instance: number, connection: number, cause: number): void {
    this.#network.closeAcceptor(connection, cause);
    this.forget(instance, connection);
  }

  /** Its socket is gone. */
  forget(instance: number, connection: number): void {
    if (!this.#connections.has(connection, of.KEPT_ALIVE)) return;
    this.#connections.unset(connection, of.KEPT_ALIVE);
    this.#policy.closed(this.#servers[instance] ?? 0, this.#engine.now, connection);
  }
}

/** Limited by nothing but how long they may idle. */
export function keptFor(idleTimeout: number): KeepAliveSettings {
  return { keepAliveTimeout: idleTimeout, keepAliveRequests: 0, keepAliveTime: 0 };
}

export const CAUSES = {
  idleTimeout: closeCauseCode('idle_timeout'),
  maxRequests: closeCauseCode('max_requests'),
  requestTimeout: closeCauseCode('request_timeout'),
  overflow: closeCauseCode('overflow'),
  clientAbort: closeCauseCode('client_abort'),
  peerFin: closeCauseCode('peer_fin'),
  peerRst: closeCauseCode('peer_rst'),
  localRst: closeCauseCode('local_rst'),
  drain: closeCauseCode('drain'),
} as const;
