/** For tests: a policy log in memory, recorded as a live run records it, and read back. */
import type { PolicyClass } from './contract.ts';
import { type LoggedPolicy, PolicyRecorder, recordInputs, recordingPort } from './recorder.ts';
import { type ReplayResult, replayPolicies } from './replay.ts';

/** A recorder whose chunks are put together to one log. */
export class Log {
  readonly recorder: PolicyRecorder;
  readonly #chunks: Float64Array[] = [];

  constructor() {
    this.recorder = new PolicyRecorder((chunk) => this.#chunks.push(chunk));
  }

  record<Port extends object, Policy extends object>(
    policyClass: PolicyClass,
    settings: unknown,
    port: Port,
    make: (port: Port) => Policy,
  ): Policy {
    const { recorder } = this;
    const name = `${policyClass.name}/${recorder.policies.length}`;
    const logged = recorder.add(name, policyClass.name, settings);
    const policy = make(recordingPort(port, policyClass, recorder, logged.instance));
    return recordInputs(policy, policyClass, recorder, logged);
  }

  /** The log and header as they are after a way over a disk. */
  read(): { log: Float64Array; policies: LoggedPolicy[] } {
    this.recorder.flush();
    const log = new Float64Array(this.#chunks.flatMap((chunk) => [...chunk]));
    return { log, policies: JSON.parse(JSON.stringify(this.recorder.policies)) };
  }

  replay(): ReplayResult {
    const { log, policies } = this.read();
    return replayPolicies(log, policies);
  }
}
