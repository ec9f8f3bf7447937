/**
 * The front of the chain: edge (CDN) and gateway. AWS documents CloudFront's side to the origin
 * well and API Gateway's hardly at all; what is not documented is marked so, and is what an
 * experiment should vary.
 */

import type { EdgeHop, GatewayHop } from '../../model/topology.ts';
import { choice, duration, integer, rate, type SettingsFor } from '../setting.ts';
import { MACHINE_SETTINGS } from './network.ts';
import { ASSUMPTION, OWN_CHOICE, poolSettings, REQUESTS_MAX, requestTimeouts } from './pool.ts';

type Base = 'name' | 'kind' | 'upstream' | 'listen';

const ORIGIN = 'CloudFront Developer Guide, origin settings';
const ORIGIN_RETRY = 'CloudFront Developer Guide, response timeout and connection attempts';

export const EDGE_SETTINGS = {
  implementation: choice({
    choices: ['builtin', 'nginx'],
    default: 'builtin',
    description:
      'builtin: CloudFront semantics in this program. nginx: the real one, run by us, with a ' +
      'listener and a keep-alive pool per location (lifo, without limit), one attempt per request.',
    source: OWN_CHOICE,
  }),
  locations: integer({
    min: 1,
    max: 10_000,
    default: 2,
    follows: 'replicas',
    description:
      'Edge locations; dynamic requests go from each straight to the origin, over its own ' +
      'connections.',
    source: OWN_CHOICE,
  }),
  pool: poolSettings({
    connectionsMax: 0,
    connectionsMaxSource: ASSUMPTION,
    idleTimeout: '5s',
    idleTimeoutSource: `${ORIGIN}: keep-alive timeout 5 s (1-120)`,
    source: ASSUMPTION,
  }),
  clientIdleTimeout: duration({
    default: '60s',
    description: 'A client connection without a request is closed after this. 0 = never.',
    source: ASSUMPTION,
  }),
  ...requestTimeouts(ASSUMPTION),
  connectTimeout: duration({
    min: 1_000,
    default: '10s',
    description: 'A connect to the origin is given up after this.',
    source: `${ORIGIN}: connection timeout 10 s (1-10)`,
  }),
  connectionAttempts: integer({
    min: 1,
    max: 10,
    default: 3,
    description: 'Connects that are tried for one request.',
    source: `${ORIGIN}: 3 connection attempts (1-3)`,
  }),
  responseTimeout: duration({
    default: '30s',
    description: 'The origin must answer within this; else 504. 0 = never.',
    source: `${ORIGIN}: response timeout 30 s (1-120)`,
  }),
  responseAttempts: integer({
    min: 1,
    max: 10,
    default: 3,
    description:
      'Attempts in all for GET and HEAD when the response times out; other methods get 1.',
    source: `${ORIGIN_RETRY}: GET and HEAD up to 3 times, POST never`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<EdgeHop, Base>>;

const QUOTAS = 'API Gateway quotas';

export const GATEWAY_SETTINGS = {
  implementation: choice({
    choices: ['builtin', 'nginx'],
    default: 'builtin',
    description:
      'builtin: API Gateway semantics in this program. nginx: the real one, run by us, with a ' +
      'keep-alive pool (lifo, without limit) per node and pool, and limit_req as throttle.',
    source: OWN_CHOICE,
  }),
  nodes: integer({
    min: 1,
    max: 10_000,
    default: 8,
    follows: 'replicas',
    description: 'Nodes of the gateway; a request lands on any of them.',
    source: ASSUMPTION,
  }),
  poolsPerNode: integer({
    min: 1,
    max: 1_000,
    default: 1,
    description: 'Separate connection pools in each node (worker processes, shards).',
    source: ASSUMPTION,
  }),
  spread: choice({
    choices: ['request', 'connection'],
    default: 'request',
    description: 'What is assigned to a node by chance: each request, or each client connection.',
    source: 'the incident: API Gateway does not tie a client connection to a backend connection',
  }),
  pool: poolSettings({
    connectionsMax: 0,
    connectionsMaxSource: ASSUMPTION,
    idleTimeout: '60s',
    idleTimeoutSource: ASSUMPTION,
    source: ASSUMPTION,
  }),
  throttle: {
    ratePerSecond: rate({
      default: '10000/s',
      follows: 'load',
      description: 'Tokens of the bucket; without a token a request gets 429. 0 = no throttle.',
      source: `${QUOTAS}: 10,000 requests/s per account and region`,
    }),
    burst: integer({
      min: 0,
      max: REQUESTS_MAX,
      default: 5_000,
      follows: 'load',
      description: 'Capacity of the bucket.',
      source: `${QUOTAS}: burst 5,000`,
    }),
  },
  clientIdleTimeout: duration({
    default: '60s',
    description: 'A client connection without a request is closed after this. 0 = never.',
    source: ASSUMPTION,
  }),
  ...requestTimeouts(ASSUMPTION),
  connectTimeout: duration({
    min: 1_000,
    default: '10s',
    description: 'A connect to the next hop is given up after this.',
    source: ASSUMPTION,
  }),
  integrationTimeout: duration({
    default: '29s',
    description: 'A request without an answer gets 504 after this. 0 = never.',
    source: `${QUOTAS}: integration timeout 29 s`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<GatewayHop, Base>>;
