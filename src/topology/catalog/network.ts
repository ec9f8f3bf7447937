/** What a hop's machine does for it: the link to its upstream, its listener, its local ports. */
import { duration, integer } from '../setting.ts';

const LINUX = 'Linux ip(7), tcp(7), listen(2)';

export const UPSTREAM_DELAY = duration({
  default: 0,
  description:
    'Time that bytes take to the upstream hop, one way; a connect takes two of them before it ' +
    'may send. Simulated only: a live link has the delay that this machine gives it.',
  source: 'assumption: one machine, or one data centre',
});

export const MACHINE_SETTINGS = {
  upstreamDelay: UPSTREAM_DELAY,
  backlog: integer({
    min: 0,
    max: 65_535,
    default: 4_096,
    description:
      'Connections that may wait for this hop to accept them. When one more waits, a SYN is ' +
      'dropped, and sent again after 1, 3, 7, ... seconds. Real programs keep their own.',
    source: `${LINUX}: net.core.somaxconn, 4096 since 5.4; Node and nginx ask for 511`,
  }),
  ephemeralPorts: integer({
    min: 1,
    max: 64_512,
    default: 28_232,
    description:
      'Local ports for connections to one listener, those in TIME_WAIT (60 s) included. When ' +
      'none is left a connect fails. Simulated only: a live hop shares those of this machine.',
    source: `${LINUX}: ip_local_port_range 32768-60999`,
  }),
};
