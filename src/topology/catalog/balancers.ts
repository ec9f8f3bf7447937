/** The load balancers: layer 4 (NLB) and layer 7 (ALB). */

import type { L4BalancerHop, L7BalancerHop } from '../../model/topology.ts';
import { choice, duration, type SettingsFor } from '../setting.ts';
import { MACHINE_SETTINGS } from './network.ts';
import {
  ASSUMPTION,
  healthCheckSettings,
  OWN_CHOICE,
  poolSettings,
  requestTimeouts,
} from './pool.ts';

type Base = 'name' | 'kind' | 'upstream' | 'listen';

const NLB = 'Network Load Balancer guide';
const ALB = 'Application Load Balancer guide';

export const L4_BALANCER_SETTINGS = {
  implementation: choice({
    choices: ['builtin', 'haproxy'],
    default: 'builtin',
    description:
      'builtin: NLB semantics in this program. haproxy: the real one in mode tcp, run by us; it ' +
      'closes idle flows instead of forgetting them, and flow-hash is a draw per flow.',
    source: OWN_CHOICE,
  }),
  algorithm: choice({
    choices: ['flow-hash', 'round-robin', 'least-connections', 'random-two'],
    default: 'flow-hash',
    description: 'How the target of a new flow is chosen; a flow keeps it for life.',
    source: `${NLB}: flow hash over protocol, addresses, ports and TCP sequence number`,
  }),
  idleTimeout: duration({
    default: '350s',
    description: 'A flow without data is forgotten after this; later data gets RST. 0 = never.',
    source: `${NLB}: idle timeout 350 s`,
  }),
  healthCheck: healthCheckSettings({
    timeout: '6s',
    source: `${NLB}, health checks: HTTP, every 30 s, timeout 6 s, healthy 5, unhealthy 2`,
  }),
  deregistrationDelay: duration({
    default: '300s',
    description: 'Flows to a target that was taken out may go on for this long.',
    source: `${NLB}: deregistration delay 300 s`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<L4BalancerHop, Base>>;

export const L7_BALANCER_SETTINGS = {
  algorithm: choice({
    choices: ['least-outstanding', 'round-robin', 'least-connections', 'random-two'],
    default: 'least-outstanding',
    description: 'How the target of a request is chosen.',
    source:
      `${ALB}: least_outstanding_requests, set on the target group ` +
      '(what a target group has until it is changed is round_robin)',
  }),
  pool: poolSettings({
    connectionsMax: 0,
    connectionsMaxSource: ASSUMPTION,
    idleTimeout: '60s',
    idleTimeoutSource: `${ALB}: idle timeout 60 s`,
    source: ASSUMPTION,
  }),
  clientIdleTimeout: duration({
    default: '60s',
    description: 'A client connection without a request is closed after this. 0 = never.',
    source: `${ALB}: idle timeout 60 s`,
  }),
  ...requestTimeouts(`${ALB}, troubleshooting: 408 when the client is silent for the idle timeout`),
  connectTimeout: duration({
    min: 1_000,
    default: '10s',
    description: 'A connect to a target is given up after this.',
    source: `${ALB}, troubleshooting: connection timeout 10 s, then 504`,
  }),
  responseTimeout: duration({
    default: '60s',
    description: 'A target must answer within this; else 504. 0 = never.',
    source: `${ALB}: idle timeout 60 s`,
  }),
  healthCheck: healthCheckSettings({
    timeout: '5s',
    source: `${ALB}, health checks: every 30 s, timeout 5 s, healthy 5, unhealthy 2`,
  }),
  deregistrationDelay: duration({
    default: '300s',
    description: 'Requests to a target that was taken out may go on for this long.',
    source: `${ALB}: deregistration delay 300 s`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<L7BalancerHop, Base>>;
