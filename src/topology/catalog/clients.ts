/**
 * Clients: who they are, how they keep connections (their habit), when they ask and when they
 * give up.
 */

import type { ClientsHop, Workload } from '../../model/topology.ts';
import { durationOr } from '../duration-or.ts';
import {
  choice,
  choices,
  distribution,
  duration,
  integer,
  number,
  rateShape,
  type SettingsFor,
  share,
  shareShape,
  size,
  text,
} from '../setting.ts';
import { UPSTREAM_DELAY } from './network.ts';
import { OWN_CHOICE, poolSettings, REQUESTS_MAX } from './pool.ts';

export const CLIENTS_SETTINGS = {
  count: integer({
    min: 1,
    max: 10_000_000,
    default: 1,
    follows: 'load',
    description: 'Clients in this group; each has a pool of its own.',
    source: OWN_CHOICE,
  }),
  pool: poolSettings({
    connectionsMax: 1,
    connectionsMaxSource: OWN_CHOICE,
    idleTimeout: '60s',
    idleTimeoutSource: OWN_CHOICE,
    source: OWN_CHOICE,
  }),
  requestsPerIteration: integer({
    min: 0,
    max: REQUESTS_MAX,
    default: 0,
    description:
      'Drop the connection after this many requests, as JMeter does at each iteration of a ' +
      'thread group. 0 = never.',
    source: `${OWN_CHOICE}; JMeter's is its plan's samplers per iteration`,
  }),
  postShare: share({
    default: 0,
    description: 'Share of requests that are POST; the rest are GET.',
    source: OWN_CHOICE,
  }),
  path: text({
    default: '/items/1',
    pattern: /^\/[!-~]*$/,
    hint: 'write an absolute path such as /items/1',
    lengthMax: 2_000,
    description: 'Path that is asked for.',
    source: OWN_CHOICE,
  }),
  bodyBytes: size({
    default: '256B',
    max: 1_048_576,
    description: 'Size of the body of a POST.',
    source: OWN_CHOICE,
  }),
  connectTimeout: duration({
    min: 1_000,
    default: '10s',
    description: 'A connect without success is given up after this.',
    source: 'OkHttp: connectTimeout 10 s',
  }),
  timeout: duration({
    default: '60s',
    description: 'An attempt without an answer is given up after this. 0 = never.',
    source: 'URLSession: timeoutIntervalForRequest 60 s',
  }),
  patience: distribution({
    default: '0s',
    description:
      'An attempt without an answer is given up after a time drawn from this, if that comes ' +
      'before the timeout: people differ. 0 = never.',
    source: OWN_CHOICE,
  }),
  retry: {
    attemptsMax: integer({
      min: 1,
      max: 100,
      default: 1,
      description: 'Attempts in all; 1 = no retry.',
      source: OWN_CHOICE,
    }),
    backoff: duration({
      default: '100ms',
      description: 'Pause before the first retry; it doubles with each further one.',
      source: OWN_CHOICE,
    }),
    backoffMax: duration({
      default: '10s',
      description: 'The pause grows no longer than this.',
      source: OWN_CHOICE,
    }),
    jitter: number({
      min: 0,
      max: 1,
      default: 0.5,
      description: 'Each pause is drawn from (1 - jitter .. 1) of its length.',
      source: OWN_CHOICE,
    }),
    budget: share({
      default: 1,
      description:
        'Retries may be at most this share of requests, beside 100 that are saved at the start; ' +
        '1 = no budget.',
      source: OWN_CHOICE,
    }),
    on: choices({
      choices: ['timeout', 'reset', 'refused', '429', '5xx'],
      default: ['timeout', 'reset', 'refused'],
      description: 'What is tried again.',
      source: OWN_CHOICE,
    }),
  },
  upstreamDelay: UPSTREAM_DELAY,
} satisfies SettingsFor<Omit<ClientsHop, 'name' | 'kind' | 'upstream' | 'listen' | 'workload'>>;

type Closed = Extract<Workload, { kind: 'closed' }>;
type Open = Extract<Workload, { kind: 'open' }>;

export const WORKLOAD_SETTINGS = {
  closed: {
    thinkTime: distribution({
      default: '1s',
      description: 'A user waits this long after an answer before the next request.',
      source: OWN_CHOICE,
    }),
    awake: shareShape({
      default: 1,
      description: 'Share of the users that are active, 0..1, as a constant or a shape.',
      source: OWN_CHOICE,
    }),
    startWithin: durationOr({
      default: '1s',
      word: 'thinkTime',
      description:
        'First requests are spread evenly over this; thinkTime: each user begins with a pause.',
      source: OWN_CHOICE,
    }),
  } satisfies SettingsFor<Omit<Closed, 'kind'>>,
  open: {
    rate: rateShape({
      default: '1/s',
      follows: 'load',
      description: 'Arrivals of the whole group, as a constant or a shape.',
      source: OWN_CHOICE,
    }),
    arrivals: choice({
      choices: ['constant', 'poisson'],
      default: 'poisson',
      description: 'Evenly spaced arrivals, or independent ones.',
      source: OWN_CHOICE,
    }),
  } satisfies SettingsFor<Omit<Open, 'kind'>>,
};

export const WORKLOAD_KINDS = ['closed', 'open'] as const;

/** Presets of pool settings that `habit:` names; what a document sets itself wins. */
export const HABIT_NAMES = ['ios', 'okhttp', 'embedded', 'jmeter', 'browser'] as const;
export type HabitName = (typeof HABIT_NAMES)[number];

export const HABITS: Readonly<
  Record<HabitName, { readonly pool: Readonly<Record<string, string | number>>; source: string }>
> = {
  ios: {
    pool: { connectionsMax: 6 },
    source: 'habit ios: URLSession, httpMaximumConnectionsPerHost 6 over HTTP/1.1',
  },
  okhttp: {
    pool: { connectionsMax: 5, idleTimeout: '5m' },
    source: 'habit okhttp: ConnectionPool of 5 idle connections for 5 min, 5 requests per host',
  },
  embedded: {
    pool: { connectionsMax: 1 },
    source: 'habit embedded: one connection (assumption)',
  },
  jmeter: {
    pool: { connectionsMax: 1 },
    source: 'habit jmeter: one keep-alive connection per thread',
  },
  browser: {
    pool: { connectionsMax: 6, idleTimeout: '5m' },
    source: 'habit browser: 6 connections per host over HTTP/1.1, idle for 5 min (assumption)',
  },
};
