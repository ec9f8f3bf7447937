/** `npm run build`: dist/ from src/, when it is out of date. */
import './node-version.mjs';

const { ensureBuilt, SetupError } = await import('./setup.mjs');
try {
  await ensureBuilt();
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  process.stderr.write(`waterhammer: ${error.message}\n`);
  process.exit(1);
}
