/** The shared `KeepAlive` policy on a hop's accepted connections. */
import { closeCauseCode } from '../../model/close-cause.ts';
import { KeepAlive, type KeepAliveSettings } from '../../policy/keep-alive.ts';
import { Effects, Numbered } from '../engine/effects.ts';
import { Wake } from '../engine/wake.ts';
import type { Exchange } from '../exchange.ts';
import type { Connection } from '../net/connection.ts';
import type { World } from '../world.ts';

export class ServerConnections {
  readonly #world: World;
  readonly #policy: KeepAlive;
  readonly #wake: Wake;
  readonly #connections = new Numbered<Connection>();
  readonly #effects = new Effects((_kind, number, cause) =>
    this.close(this.#connections.get(number), cause),
  );

  constructor(world: World, limits: KeepAliveSettings) {
    this.#world = world;
    this.#wake = new Wake(world.engine, (now) => {
      this.#policy.wake(now);
      this.#effects.run();
    });
    this.#policy = new KeepAlive(limits, {
      lastRequest: (number, cause) => {
        this.#connections.get(number).lastCause = cause;
      },
      close: (number, cause) => this.#effects.push(0, number, cause),
      wakeAt: (at) => this.#wake.ask(at),
    });
  }

  /** Those that wait for a request. */
  get idle(): number {
    return this.#policy.snapshot().idle;
  }

  add(connection: Connection): void {
    connection.serverNumber = this.#connections.add(connection);
    this.#policy.opened(this.#world.engine.now, connection.serverNumber);
  }

  begun(connection: Connection): void {
    this.#policy.requestStarted(this.#world.engine.now, connection.serverNumber);
  }

  configure(limits: KeepAliveSettings): void {
    this.#policy.configure(this.#world.engine.now, limits);
    this.#effects.run();
  }

  closeIdle(count: number): void {
    this.#policy.closeIdle(this.#world.engine.now, count);
    this.#effects.run();
  }

  /** Answers, and closes if this was the connection's last answer, or the client has finished. */
  answer(connection: Connection, exchange: Exchange, bytes: number): void {
    const { network } = this.#world;
    const finished = connection.connectorFin ? CAUSES.peerFin : 0;
    const cause = connection.lastCause === 0 ? finished : connection.lastCause;
    if (cause === 0) {
      this.#policy.responseEnded(this.#world.engine.now, connection.serverNumber);
      network.answer(connection, exchange, bytes, false);
      return;
    }
    this.forget(connection);
    network.lastAnswer(connection, exchange, bytes, cause);
  }

  /** Closes its socket; what is in flight is the hop's business, and was before. */
  close(connection: Connection, cause: number): void {
    this.#world.network.closeAcceptor(connection, cause);
    this.forget(connection);
  }

  /** Its socket is gone. */
  forget(connection: Connection): void {
    if (connection.serverNumber < 0) return;
    const { serverNumber } = connection;
    connection.serverNumber = -1;
    this.#connections.remove(serverNumber);
    this.#policy.closed(this.#world.engine.now, serverNumber);
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
