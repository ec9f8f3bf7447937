/** The shared `KeepAlive` policy on a hop's accepted connections. */
import { closeCauseCode } from '../../model/close-cause.ts';
import type { Instance } from '../../model/run.ts';
import { KeepAlive, type KeepAlivePort, type KeepAliveSettings } from '../../policy/keep-alive.ts';
import type { Follower } from '../engine/engine.ts';
import type { Numbered } from '../engine/numbered.ts';
import { Sleeper } from '../engine/wake.ts';
import type { Exchange } from '../exchange.ts';
import type { Connection } from '../net/connection.ts';
import type { World } from '../world.ts';

export class ServerConnections extends Sleeper implements Follower, KeepAlivePort {
  readonly #world: World;
  readonly #policy: KeepAlive;
  /** By number; of other hops, too. */
  readonly #connections: Numbered<Connection>;

  constructor(world: World, instance: Instance, limits: KeepAliveSettings) {
    super(world.engine);
    this.#world = world;
    this.#connections = world.served;
    const name = `${instance.hop}/${instance.replica}/keep-alive`;
    const make = (port: KeepAlivePort): KeepAlive => new KeepAlive(limits, port, world.servedRows);
    this.#policy = world.tap.create<KeepAlivePort, KeepAlive>(name, KeepAlive, limits, this, make);
  }

  // The policy's port

  lastRequest(number: number, cause: number): void {
    this.#connections.get(number).lastCause = cause;
  }

  /** A request that comes from now on is not read any more. */
  close(number: number, cause: number): void {
    const connection = this.#connections.get(number);
    connection.reading = false;
    this.engine.next(this, cause, number, connection);
  }

  protected override woken(now: number): void {
    this.#policy.wake(now);
  }

  follow(cause: number, number: number, subject: unknown): void {
    const connection = this.#connections.find(number);
    // It may have gone by itself meanwhile, and its number with it.
    if (connection !== null && connection === subject) this.end(connection, cause);
  }

  /** Those that wait for a request. */
  get idle(): number {
    return this.#policy.snapshot().idle;
  }

  add(connection: Connection): void {
    connection.serverNumber = this.#connections.add(connection);
    this.#policy.opened(this.engine.now, connection.serverNumber);
  }

  begun(connection: Connection): void {
    this.#policy.requestStarted(this.engine.now, connection.serverNumber);
  }

  configure(limits: KeepAliveSettings): void {
    this.#policy.configure(this.engine.now, limits);
  }

  closeIdle(count: number): void {
    this.#policy.closeIdle(this.engine.now, count);
  }

  /** Answers, and closes if this was the connection's last answer, or the client has finished. */
  answer(connection: Connection, exchange: Exchange, bytes: number): void {
    const { network } = this.#world;
    const finished = connection.connectorFin ? CAUSES.peerFin : 0;
    const cause = connection.lastCause === 0 ? finished : connection.lastCause;
    if (cause === 0) {
      this.#policy.responseEnded(this.engine.now, connection.serverNumber);
      network.answer(connection, exchange, bytes, false);
      return;
    }
    this.forget(connection);
    network.lastAnswer(connection, exchange, bytes, cause);
  }

  /** Closes its socket; what is in flight is the hop's business, and was before. */
  end(connection: Connection, cause: number): void {
    this.#world.network.closeAcceptor(connection, cause);
    this.forget(connection);
  }

  /** Its socket is gone. */
  forget(connection: Connection): void {
    if (connection.serverNumber < 0) return;
    const { serverNumber } = connection;
    connection.serverNumber = -1;
    this.#connections.remove(serverNumber);
    this.#policy.closed(this.engine.now, serverNumber);
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
