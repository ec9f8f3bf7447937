/** Rules that turn measures into findings with evidence and a remedy. */
export * from './input.ts';
export * from './rules.ts';
