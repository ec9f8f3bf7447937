/** Closed forms of queueing and renewal theory, a file each; seconds and per second throughout. */
export * from './binomial.ts';
export * from './birth-death.ts';
export * from './closed-network.ts';
export * from './erlang.ts';
export * from './erlang-a.ts';
export * from './finite-queue.ts';
export * from './growing-pool.ts';
export * from './keep-alive.ts';
export * from './markov.ts';
export * from './renewal-queue.ts';
export * from './replications.ts';
export * from './stall.ts';
export * from './times.ts';
export * from './token-bucket.ts';
