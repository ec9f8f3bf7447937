/** The shared `ConnectionQueues` policy on the flows of connection queues. */
import type {
  ConnectionQueueSettings,
  ConnectionQueuesPort,
} from '../../policy/connection-queues.ts';
import type { PolicyTap } from '../../policy/tap.ts';
import type { Engine } from '../engine/engine.ts';
import { EventOf, Next } from '../engine/event.ts';
import { Sleepers } from '../engine/sleepers.ts';
import type { Connections } from '../net/connections.ts';
import * as of from '../net/connections.ts';
import type { Network } from '../net/network.ts';
import { type QueueMachine, queueMachine } from '../recorded-policies.ts';
import type { Flows } from './flows.ts';

/** A replica that carries out what is decided about its flows. */
export interface QueueDriver {
  held(downstream: number): void;
  granted(downstream: number): void;
  yielded(downstream: number): void;
}

export class Queues implements ConnectionQueuesPort {
  readonly #engine: Engine;
  readonly #connections: Connections;
  readonly #policy: QueueMachine;
  readonly #sleepers: Sleepers;
  readonly #drivers: QueueDriver[] = [];
  readonly #flows: Flows;

  constructor({ engine, connections }: Network, flows: Flows, tap: PolicyTap) {
    this.#engine = engine;
    this.#connections = connections;
    this.#flows = flows;
    this.#sleepers = new Sleepers(engine, EventOf.queue);
    this.#policy = queueMachine(tap, this, { rows: connections, column: of.QUEUE_COLUMN });
  }

  /** `name`: whose policy it is. */
  add(name: string, settings: ConnectionQueueSettings, driver: QueueDriver): number {
    const queue = this.#policy.add(settings, name);
    this.#sleepers.room(queue);
    this.#drivers[queue] = driver;
    return queue;
  }

  // The policy's port

  hold(queue: number, connection: number): void {
    this.#next(Next.holdFlow, connection, queue);
  }

  grant(queue: number, connection: number): void {
    this.#next(Next.grantFlow, connection, queue);
  }

  yield(queue: number, connection: number): void {
    this.#next(Next.yieldFlow, connection, queue);
  }

  close(_queue: number, connection: number, cause: number): void {
    this.#next(Next.closeFlow, connection, cause);
  }

  wakeAt(queue: number, at: number): void {
    this.#sleepers.wakeAt(queue, at);
  }

  happens(queue: number): void {
    if (this.#sleepers.isDue(queue)) this.#policy.wake(queue, this.#engine.now);
  }

  /** A decision is due; `detail` is the queue, or why it closes. */
  follows(kind: number, downstream: number, detail: number, stamp: number): void {
    // It may have gone by itself meanwhile, and its number with it.
    if (this.#connections.get(downstream, of.STAMP) !== stamp) return;
    if (!this.#connections.has(downstream, of.IN_FLOWS)) return;
    if (kind === Next.closeFlow) this.#flows.close(downstream, detail);
    else if (kind === Next.grantFlow) this.#drivers[detail]?.granted(downstream);
    else if (kind === Next.holdFlow) this.#drivers[detail]?.held(downstream);
    else this.#drivers[detail]?.yielded(downstream);
  }

  // For queues

  configure(queue: number, settings: ConnectionQueueSettings): void {
    this.#policy.configure(queue, this.#engine.now, settings);
  }

  opened(queue: number, connection: number): void {
    this.#policy.opened(queue, this.#engine.now, connection);
  }

  bytesUp(queue: number, connection: number): void {
    this.#policy.bytesUp(queue, this.#engine.now, connection);
  }

  bytesDown(queue: number, connection: number): void {
    this.#policy.bytesDown(queue, this.#engine.now, connection);
  }

  closed(queue: number, connection: number): void {
    this.#policy.peerClosed(queue, this.#engine.now, connection);
  }

  #next(kind: number, connection: number, detail: number): void {
    const stamp = this.#connections.get(connection, of.STAMP);
    this.#engine.next(kind, connection, detail, stamp);
  }
}
