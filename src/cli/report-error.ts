/**
 * Turns an error into a message and an exit code. Errors with a stable `code` are expected
 * (missing program, port in use, unknown client, unreadable file): one clear line. Anything
 * else is a defect of ours and shows its stack.
 */
import { ExitCode } from './exit-code.ts';

/** Codes that mean that what the user gave is wrong, rather than that the run failed. */
const BAD_INPUT = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'not-a-recording',
  'folder-not-empty',
  'unknown-client',
  'unknown-request',
  'bad-argument',
  'too-many-exchanges',
  'recording-incomplete',
  'recording-without-events',
  'recording-without-spools',
  'recording-version',
  'recording-unreadable',
]);

export function reportError(error: unknown): number {
  if (!(error instanceof Error)) {
    process.stderr.write(`waterhammer: ${String(error)}\n`);
    return ExitCode.failed;
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code === null) {
    process.stderr.write(`waterhammer: ${error.stack ?? error.message}\n`);
    return ExitCode.failed;
  }
  process.stderr.write(`waterhammer: error: ${error.message}\n`);
  return BAD_INPUT.has(code) ? ExitCode.badInput : ExitCode.failed;
}
