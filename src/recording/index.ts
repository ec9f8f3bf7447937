/** Recordings on disk: spools while a run goes on, Parquet and NDJSON after it. */
export * from './convert.ts';
export * from './error.ts';
export * from './folder.ts';
export * from './recording.ts';
export * from './recording-tables.ts';
export * from './run-document.ts';
export * from './run-format.ts';
export * from './spool.ts';
export * from './spool-reader.ts';
