/**
 * The place where a live policy's inputs and decisions can be recorded for the replay proof:
 * drivers create every policy through a tap. The default tap adds nothing.
 */
import type { PolicyClass } from '../../policy/contract.ts';

export interface PolicyTap {
  /**
   * Creates a policy. `make` receives the port to use (the given one, or one that records).
   * `name` says whose policy it is, e.g. `apigw/3/pool`.
   */
  create<Port extends object, Policy extends object>(
    name: string,
    policyClass: PolicyClass,
    settings: unknown,
    port: Port,
    make: (port: Port) => Policy,
  ): Policy;
}

export const noTap: PolicyTap = {
  create(_name, _policyClass, _settings, port, make) {
    return make(port);
  },
};
