/** Seeded streams, distributions and arrivals, the same on every engine. */
export * from './arrivals.ts';
export * from './distribution.ts';
export * from './elementary.ts';
export * from './stream.ts';
