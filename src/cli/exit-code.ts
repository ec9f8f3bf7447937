/** Exit codes of every command. */
export const ExitCode = { done: 0, failed: 1, badInput: 2, interrupted: 130 } as const;
