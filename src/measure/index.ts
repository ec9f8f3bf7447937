/** The ledger: events in, books, rows, series and the summary out. */
export * from './charts.ts';
export * from './histogram.ts';
export * from './ledger.ts';
export * from './rows.ts';
export * from './strike.ts';
export * from './trace.ts';
