/** Event columns in memory: written, merged in order of time, filtered. */
export * from './columns.ts';
export * from './event-list.ts';
export * from './filter.ts';
export * from './merge.ts';
