/**
 * The connection queue (the incident's ConnCtrl) on real sockets: accepts every connection and
 * lets the shared `ConnectionQueue` policy say which may move bytes.
 *
 *   accepted ──hold──► held ──grant──► active ──yield──► yielded ──bytes──► held ...
 *
 * - Held under `whileHeld: unread` (the incident): the socket is not touched. Its client's
 *   request waits in the kernel, and a client that leaves is not noticed: after a FIN the entry
 *   waits on as CLOSE_WAIT, after an RST as no row at all, and takes a slot later all the same.
 * - Held under `watch`: read into a bounded buffer, so that one knows whether a request waits,
 *   and whether the client has left. A client's FIN counts as leaving even if a request is
 *   there: a server cannot tell a half-close from a close, and HTTP clients that send FIN
 *   before the answer have nearly always gone (HAProxy's `option abortonclose` says the same).
 * - Yielded: both connections stay open; bytes toward the client still pass (a response that
 *   goes on: overcommit); the client's next bytes are kept back and put it in line again.
 */

import { type CloseCause, closeCauseOf } from '../../model/close-cause.ts';
import { SlotState } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import type { Action, ConnectionQueueHop } from '../../model/topology.ts';
import { ConnectionQueue } from '../../policy/connection-queue.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import { Flow, FlowNumbers, type FlowOwner } from '../relay-l4/flow.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';

export function createConnectionQueue(ctx: HopContext<ConnectionQueueHop>): LiveHop {
  return new QueueHop(ctx);
}

class QueueHop implements LiveHop, FlowOwner {
  readonly ends;
  readonly outgoing;
  readonly #ctx: HopContext<ConnectionQueueHop>;
  readonly #numbers = new FlowNumbers();
  readonly #policy: ConnectionQueue;
  readonly #timer: WakeTimer;
  readonly #listeners: Listener[];
  readonly #faults: HostFaults;
  #settings: ConnectionQueueHop;

  constructor(ctx: HopContext<ConnectionQueueHop>) {
    if (ctx.outgoing === null)
      throw new Error(`${ctx.hop.name}: a connection queue needs an upstream`);
    this.#ctx = ctx;
    this.ends = ctx.ends;
    this.outgoing = ctx.outgoing;
    this.#settings = ctx.hop;
    this.#timer = new WakeTimer(ctx.clock, (now) => {
      this.#policy.wake(now);
      this.#count();
    });
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}`,
      ConnectionQueue,
      ctx.hop,
      {
        hold: (id: number) => this.#held(this.#numbers.get(id)),
        grant: (id: number) => this.#granted(this.#numbers.get(id)),
        yield: (id: number) => this.#yielded(this.#numbers.get(id)),
        close: (id: number, cause: number) =>
          this.#closeNow(this.#numbers.get(id), closeCauseOf(cause)),
        wakeAt: (at: number) => this.#timer.wakeAt(at),
      },
      (port) => new ConnectionQueue(ctx.hop, port),
    );
    this.#listeners = ctx.incoming.map(
      (link) =>
        new Listener({
          instance: ctx.instance.index,
          link,
          listen: ctx.instance.replica === 0 ? ctx.hop.listen : null,
          backlog: ctx.hop.backlog,
          ends: ctx.ends,
          handlers: noHandlers,
          onAccept: (end) => this.#accept(end),
        }),
    );
    this.#faults = new HostFaults(ctx, this.#listeners);
  }

  listen(): Promise<Endpoint[]> {
    return Promise.all(this.#listeners.map((listener) => listener.open()));
  }

  begin(): void {}

  endLoad(): void {}

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed !== null) {
      this.#settings = changed;
      this.#policy.configure(this.#ctx.clock.now(), changed);
      return true;
    }
    return this.#faults.apply(action);
  }

  async stop(): Promise<void> {
    this.#timer.cancel();
    await this.#faults.stop();
  }

  // FlowOwner

  bytesUp(flow: Flow): void {
    this.#policy.bytesUp(this.#ctx.clock.now(), flow.id);
    this.#count();
  }

  bytesDown(flow: Flow): void {
    this.#policy.bytesDown(this.#ctx.clock.now(), flow.id);
  }

  ending(): void {}

  leftWhileGated(flow: Flow): void {
    if (flow.hasKeptBytes) {
      // Under `unread` a FIN behind a request is passed on with it, once a slot is there.
      if (this.#settings.whileHeld === 'watch') flow.close('peer_fin');
    } else if (flow.upstream === null) flow.close('peer_fin');
    else flow.upstream.finish();
  }

  gone(flow: Flow): void {
    this.#policy.peerClosed(this.#ctx.clock.now(), flow.id);
    this.#numbers.remove(flow);
    this.#count();
  }

  #accept(end: ConnectionEnd): void {
    const flow = this.#numbers.add((id) => new Flow(id, end, this));
    end.handlers = flow.downstreamHandlers;
    this.#ctx.counters.requests += 1;
    this.#policy.opened(this.#ctx.clock.now(), flow.id);
    this.#count();
  }

  // The policy's port

  #held(flow: Flow): void {
    flow.closeGate();
    flow.downstream.slotChanged(SlotState.held);
    // `unread` never touches a socket that had no slot yet; one that yielded is read already.
    if (this.#settings.whileHeld === 'watch' && !flow.hasKeptBytes) flow.downstream.resume();
  }

  #granted(flow: Flow): void {
    flow.downstream.slotChanged(SlotState.active);
    if (flow.upstream === null) {
      const target = this.#ctx.targets(this.outgoing)[0];
      if (target === undefined) throw new Error(`${this.outgoing.name}: no target`);
      flow.open(target);
    }
    flow.openGate();
    flow.downstream.resume();
  }

  #yielded(flow: Flow): void {
    flow.closeGate();
    flow.downstream.slotChanged(SlotState.yielded);
  }

  #closeNow(flow: Flow, cause: CloseCause): void {
    flow.close(cause);
  }

  #count(): void {
    const { active, held, yielded } = this.#policy.snapshot();
    this.#ctx.counters.active = active;
    this.#ctx.counters.held = held + yielded;
  }
}
