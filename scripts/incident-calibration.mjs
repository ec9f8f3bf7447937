/**
 * Writes docs/incident-calibration.md: what `waterhammer calibrate` prints for the incident's
 * charts. Takes minutes to an hour; arguments go on to calibrate (`--evaluations 40`).
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = [
  'calibrate',
  'examples/aws-2021.yaml',
  '--targets',
  'examples/calibration/aws-2021.yaml',
  ...process.argv.slice(2),
];
const run = spawnSync(process.execPath, ['dist/cli/main.js', ...command], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (!run.stdout) {
  process.stderr.write('nothing was calibrated\n');
  process.exit(1);
}
const text = `# The incident's charts, and what the simulator makes of them

The output of a run of

    waterhammer ${command.join(' ')}

Targets to *fit* guided the search; those to *predict* were looked at after it. Windows are
simulated at a tenth of the hosts where the targets file says so; counts are given for the whole
system.

\`\`\`
${run.stdout.trimEnd()}
\`\`\`
`;
writeFileSync(new URL('../docs/incident-calibration.md', import.meta.url), text);
