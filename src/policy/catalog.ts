/** All policies by name, for replaying what was recorded of them. */
import { Balancer } from './balancer.ts';
import { ConnectionQueue } from './connection-queue.ts';
import type { PolicyClass } from './contract.ts';
import { Drain } from './drain.ts';
import { HealthCheck } from './health-check.ts';
import { KeepAlive } from './keep-alive.ts';
import { Pool } from './pool.ts';
import { Retry } from './retry.ts';
import { Throttle } from './throttle.ts';

export interface ReplayablePolicy extends PolicyClass {
  readonly name: string;
  make(settings: unknown, port: object): object;
}

/** A policy's constructor as the catalog sees it: settings and port were checked when recorded. */
type Constructor = PolicyClass & (new (settings: never, port: never) => object);

function replayable(policyClass: Constructor): ReplayablePolicy {
  const { name, inputs, outputs } = policyClass;
  const make = (settings: unknown, port: object): object =>
    Reflect.construct(policyClass, [settings, port]) as object;
  return { name, inputs, outputs, make };
}

const POLICIES: readonly ReplayablePolicy[] = [
  replayable(Balancer),
  replayable(ConnectionQueue),
  replayable(Drain),
  replayable(HealthCheck),
  replayable(KeepAlive),
  replayable(Pool),
  replayable(Retry),
  replayable(Throttle),
];

/** Throws for a name that no policy has. */
export function policyNamed(name: string): ReplayablePolicy {
  const found = POLICIES.find((policy) => policy.name === name);
  if (found === undefined) throw new Error(`no policy is named ${name}`);
  return found;
}
