/**
 * The L4 balancer (NLB) on real sockets: each accepted flow goes to one target for its whole
 * life, chosen by the shared `Balancer` policy among targets that the shared `HealthCheck` and
 * `Drain` policies allow; bytes are relayed, never framed.
 *
 * What differs from AWS, and can be noticed: a relay turns one flow into two sockets (an NLB
 * rewrites packets), so each flow counts once on the link before and once on the link behind;
 * the flow hash includes the TCP sequence number, which user space cannot see: a seeded draw
 * takes its place.
 *
 * Idle timeout (350 s): the balancer forgets the flow without telling anyone; whoever sends
 * next gets an RST (AWS NLB user guide, "Connection idle timeout"), and the other side still
 * hears nothing: a target keeps what its client has lost. So both sockets stay open here, each
 * until something arrives on it. A FIN arrives for an unknown flow as bytes do, and is not
 * passed on either.
 */
import type { Endpoint, Link } from '../../model/run.ts';
import type { Action, L4BalancerHop } from '../../model/topology.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import { Flow, FlowNumbers, type FlowOwner } from '../relay-l4/flow.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { acceptorsOf } from './acceptors.ts';
import { HostFaults } from './host-faults.ts';
import { Targets } from './targets.ts';

export function createL4Balancer(ctx: HopContext<L4BalancerHop>): LiveHop {
  return new L4Balancer(ctx);
}

class L4Balancer implements LiveHop, FlowOwner {
  readonly ends;
  readonly outgoing;
  readonly #ctx: HopContext<L4BalancerHop>;
  readonly #numbers = new FlowNumbers();
  readonly #listeners: Listener[];
  readonly #faults: HostFaults;
  readonly #sequence;
  readonly #targetOf = new Map<Flow, number>();
  #targets: Targets | null = null;

  constructor(ctx: HopContext<L4BalancerHop>) {
    if (ctx.outgoing === null) throw new Error(`${ctx.hop.name}: a balancer needs an upstream`);
    this.#ctx = ctx;
    this.ends = ctx.ends;
    this.outgoing = ctx.outgoing;
    this.#sequence = ctx.random('tcp-sequence');
    this.#listeners = ctx.incoming
      .flatMap((link) => new Array<Link>(acceptorsOf(ctx, link)).fill(link))
      .map(
        (link, index) =>
          new Listener({
            instance: ctx.instance.index,
            link,
            listen: index === 0 ? ctx.hop.listen : null,
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

  begin(): void {
    this.#started().begin();
  }

  endLoad(): void {}

  apply(action: Action): boolean {
    return this.#started().apply(action) || this.#faults.apply(action);
  }

  async stop(): Promise<void> {
    this.#targets?.stop();
    await this.#faults.stop();
  }

  // FlowOwner

  bytesUp(flow: Flow): void {
    this.#moved(flow);
  }

  bytesDown(flow: Flow): void {
    this.#moved(flow);
  }

  ending(flow: Flow): void {
    this.#expire(flow);
  }

  leftWhileGated(): void {}

  gone(flow: Flow): void {
    const target = this.#targetOf.get(flow);
    if (target !== undefined) {
      this.#targetOf.delete(flow);
      this.#started().ended(target);
    }
    this.#numbers.remove(flow);
  }

  /** Endpoints of targets are known only after everything upstream listens. */
  #started(): Targets {
    this.#targets ??= new Targets(this.#ctx, {
      algorithm: this.#ctx.hop.algorithm,
      closeFlows: (target) => {
        for (const [flow, of] of this.#targetOf) if (of === target) flow.close('drain');
      },
    });
    return this.#targets;
  }

  #accept(end: ConnectionEnd): void {
    const flow = this.#numbers.add((id) => new Flow(id, end, this));
    end.handlers = flow.downstreamHandlers;
    this.#ctx.counters.requests += 1;
    const target = this.#started().choose(flow.id, flowHash(end, this.#sequence.uint32()));
    if (target === null) {
      flow.reset('local_rst');
      return;
    }
    this.#targetOf.set(flow, target.instance);
    flow.lastMoved = this.#ctx.clock.now();
    flow.open(target);
    flow.openGate();
    end.resume();
  }

  #moved(flow: Flow): void {
    if (!this.#expire(flow)) flow.lastMoved = this.#ctx.clock.now();
  }

  /** Forgets a flow that has been idle for too long. */
  #expire(flow: Flow): boolean {
    const { idleTimeout } = this.#ctx.hop;
    const isExpired = idleTimeout > 0 && this.#ctx.clock.now() - flow.lastMoved > idleTimeout;
    if (isExpired) flow.forget('idle_timeout');
    return isExpired;
  }
}

/** FNV-1a over both addresses and the stand-in for the sequence number; 32 bits. */
function flowHash(end: ConnectionEnd, sequence: number): number {
  let hash = 0x811c9dc5;
  for (const packed of [end.remote, end.local, sequence]) {
    let rest = packed;
    for (let i = 0; i < 6; i++) {
      const byte = rest % 256;
      hash = Math.imul(hash ^ byte, 0x01000193);
      rest = (rest - byte) / 256;
    }
  }
  // FNV's low bits are weak for short inputs; one round of murmur3's finaliser evens them out.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
