/**
 * A chain of all our own hops on four hosts, for benchmarks of what a live run costs beside its
 * requests: CPU time of all its processes, at a steady rate that two cores hold.
 */
export const OWN_CHAIN_RATE = 1_500;

export const ownChain = {
  name: 'own-chain',
  hops: [
    {
      name: 'clients',
      kind: 'clients',
      count: 200,
      workload: { kind: 'open', rate: `${OWN_CHAIN_RATE}/s`, arrivals: 'poisson' },
    },
    { name: 'cdn', kind: 'edge' },
    { name: 'apigw', kind: 'gateway', nodes: 3 },
    { name: 'nlb', kind: 'l4-balancer' },
    { name: 'queue', kind: 'connection-queue', reclaim: 'idle-yield' },
    { name: 'web', kind: 'web-server' },
    { name: 'app', kind: 'app', serviceTime: '1ms' },
    { name: 'db', kind: 'database' },
  ],
  hosts: [{ name: 'ec2', count: 4, hops: ['queue', 'web', 'app'] }],
};
