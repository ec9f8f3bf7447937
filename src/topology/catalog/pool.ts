/**
 * Settings that several kinds of hop share: connection pools, health checks, how long a
 * request may take to arrive. The rows are
 * the same everywhere; the defaults and their sources differ, so each kind gives its own.
 */
import type { HealthCheckSettings, PoolSettings, RequestTimeouts } from '../../model/topology.ts';
import { choice, duration, flag, integer, type SettingsFor, text } from '../setting.ts';

export const ASSUMPTION = 'assumption: undocumented by AWS';
export const OWN_CHOICE = 'assumption: a choice of waterhammer';

export const CONNECTIONS_MAX = 1_000_000;
export const REQUESTS_MAX = 1_000_000_000;

export interface PoolDefaults {
  readonly connectionsMax: number;
  readonly connectionsMaxSource: string;
  readonly idleTimeout: string;
  readonly idleTimeoutSource: string;
  /** Source of what remains. */
  readonly source: string;
}

export function poolSettings(defaults: PoolDefaults): SettingsFor<PoolSettings> {
  return {
    connectionsMax: integer({
      min: 0,
      max: CONNECTIONS_MAX,
      default: defaults.connectionsMax,
      description: 'Connections to the next hop that this pool may have open. 0 = without limit.',
      source: defaults.connectionsMaxSource,
    }),
    waitersMax: integer({
      min: 0,
      max: REQUESTS_MAX,
      default: 0,
      description:
        'Requests that may wait for a connection once connectionsMax is reached. ' +
        '0 = without limit.',
      source: defaults.source,
    }),
    idleTimeout: duration({
      default: defaults.idleTimeout,
      description: 'An idle connection is closed after this. 0 = never.',
      source: defaults.idleTimeoutSource,
    }),
    requestsPerConnectionMax: integer({
      min: 0,
      max: REQUESTS_MAX,
      default: 0,
      description: 'A connection is closed after this many requests. 0 = without limit.',
      source: defaults.source,
    }),
    reuse: choice({
      choices: ['lifo', 'fifo', 'random'],
      default: 'lifo',
      description: 'Which idle connection is used next: the last used, the first used, any.',
      source: defaults.source,
    }),
  };
}

export interface HealthCheckDefaults {
  readonly timeout: string;
  readonly source: string;
}

export function healthCheckSettings(
  defaults: HealthCheckDefaults,
): SettingsFor<HealthCheckSettings> {
  return {
    enabled: flag({
      default: null,
      derived: 'true, but for a database, which does not answer HTTP',
      description: 'Whether targets are checked. Without checks every target counts as healthy.',
      source: defaults.source,
    }),
    hop: text({
      default: null,
      derived: 'the nearest hop upstream of the balancer that is not a connection-queue',
      description:
        'The hop whose port is asked. In the incident the web server, so that a check bypassed ' +
        'the queue and never saw its starvation.',
      source: 'the incident: the alive check went to the web server, past the queue',
    }),
    path: text({
      default: '/alive',
      pattern: /^\/[!-~]*$/,
      hint: 'write an absolute path such as /alive',
      description: 'Path of the request; a status below 400 is healthy.',
      source: OWN_CHOICE,
    }),
    interval: duration({
      min: 1_000,
      default: '30s',
      description: 'Time from one check of a target to the next.',
      source: defaults.source,
    }),
    timeout: duration({
      min: 1_000,
      default: defaults.timeout,
      description: 'A check without an answer fails after this.',
      source: defaults.source,
    }),
    healthyThreshold: integer({
      min: 1,
      max: 1_000,
      default: 5,
      description: 'Checks passed in a row that make an unhealthy target healthy.',
      source: defaults.source,
    }),
    unhealthyThreshold: integer({
      min: 1,
      max: 1_000,
      default: 2,
      description: 'Checks failed in a row that make a healthy target unhealthy.',
      source: defaults.source,
    }),
  };
}

/** `source` is where the 60 s of both comes from. */
export function requestTimeouts(source: string): SettingsFor<RequestTimeouts> {
  return {
    requestHeadTimeout: duration({
      default: '60s',
      description:
        'A request head that is not whole so long after its first byte is answered with 408. ' +
        '0 = never.',
      source,
    }),
    requestBodyTimeout: duration({
      default: '60s',
      description:
        'A request body of which nothing comes for so long is answered with 408. 0 = never.',
      source,
    }),
  };
}
