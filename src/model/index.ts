/** The words that everything shares: topology, events, plan, run, summary, units. */
export * from './close-cause.ts';
export * from './event.ts';
export * from './lab.ts';
export * from './plan.ts';
export * from './run.ts';
export * from './summary.ts';
export * from './topology.ts';
export * from './units.ts';
