/**
 * The place where a policy's inputs and decisions can be recorded for the replay proof: the
 * drivers of both engines create every policy through a tap. The default tap adds nothing.
 */
import type { PolicyClass } from './contract.ts';
import { type PolicyRecorder, recordInputs, recordingPort } from './recorder.ts';

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

/** Every policy that is created through it tells the recorder what it heard and decided. */
export function recordingTap(recorder: PolicyRecorder): PolicyTap {
  return {
    create(name, policyClass, settings, port, make) {
      const logged = recorder.add(name, policyClass.name, settings);
      const policy = make(recordingPort(port, policyClass, recorder, logged.instance));
      return recordInputs(policy, policyClass, recorder, logged);
    },
  };
}
