/** The policies: pure state machines driven by a given now through a port. */
export * from './balancer.ts';
export * from './catalog.ts';
export * from './connection-queue.ts';
export * from './contract.ts';
export * from './drain.ts';
export * from './health-check.ts';
export * from './keep-alive.ts';
export * from './pool.ts';
export * from './recorder.ts';
export * from './replay.ts';
export * from './retry.ts';
export * from './throttle.ts';
