/**
 * `npm run build`: dist/ from src/ and web/, what of it is out of date. With `program` only what
 * `waterhammer` runs, not the modules that others may import.
 */
import './node-version.mjs';

const { ensureModules, ensureProgram, SetupError } = await import('./setup.mjs');
try {
  await ensureProgram();
  if (process.argv[2] !== 'program') await ensureModules();
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  process.stderr.write(`waterhammer: ${error.message}\n`);
  process.exit(1);
}
