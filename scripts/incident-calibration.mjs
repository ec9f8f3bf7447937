/**
 * Writes docs/incident-calibration.md: what `waterhammer calibrate` prints for the incident's
 * charts, and which chart led in each of the predicted faults. Takes a quarter of an hour or more;
 * arguments go on to calibrate (`--evaluations 40`).
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const calibration = [
  'calibrate',
  'examples/aws-2021.yaml',
  '--targets',
  'examples/calibration/aws-2021.yaml',
  ...process.argv.slice(2),
];
const judgement = [...calibration.slice(0, 4), '--evaluations', '0'];
const faults = [
  ['database-spike'],
  ['slow-burst', '--scale', '0.25'],
  ['nodes-replaced', '--scale', '0.25'],
];

function waterhammer(command) {
  const run = spawnSync(process.execPath, ['dist/bin/main.js', ...command], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (run.stdout) return run.stdout;
  process.stderr.write(`nothing came of ${command.join(' ')}\n`);
  process.exit(1);
}

function leadText([fault, ...more]) {
  const command = ['simulate', `examples/aws-2021-${fault}.yaml`, '--duration', '4m'];
  command.push('--detail', 'series', ...more);
  const { findings } = JSON.parse(waterhammer([...command, '--json']));
  const lead = findings.find(({ kind }) => kind === 'chart-lead');
  const said = lead === undefined ? 'No chart left its calm.' : `${lead.title}\n${lead.remedy}`;
  const order = lead?.evidence.order.map((one) => `    ${one}`) ?? [];
  const minutes = lead?.evidence.minutes.map((one) => `    ${one}`) ?? [];
  const unseen = lead?.evidence.notInMinutes.map((one) => `    in no minute: ${one}`) ?? [];
  return `### ${fault}

    waterhammer ${command.join(' ')}

${said}

${order.join('\n')}

${[...minutes, ...unseen].join('\n')}
`;
}

const text = `# The incident's charts, and what the simulator makes of them

Written by \`node scripts/incident-calibration.mjs\` from what its commands print. Windows are
simulated at full size, 66 hosts and 80,000 users; but the search at the scale that the targets file
gives it, its counts given for the whole system.

## The example as it stands

    waterhammer ${judgement.join(' ')}

\`\`\`
${waterhammer(judgement).trimEnd()}
\`\`\`

How many points meet all fitted targets is counted at the search's quarter of the size.

How many users there are, and how long they think, calm does not tell: only what they ask together.
It was chosen with the faults in view, as the size and the second of each fault were: with 40,000
that think for 10 s Requests never overshoot, with 120,000 and 30 s they do by half. So what is
predicted here is that *one* system and one fault of seconds give all these charts at once.

## What a search finds

    waterhammer ${calibration.join(' ')}

Targets to *fit* guided the search; those to *predict* were looked at after it. Where its best point
differs from the example, calm and trough do not tell the two apart: what else is predicted does.

\`\`\`
${waterhammer(calibration).trimEnd()}
\`\`\`

## Which chart leads, and what minutes make of it

The second in which each chart first leaves its calm, and the minute that first shows it.

${faults.map(leadText).join('\n')}`;
writeFileSync(new URL('../docs/incident-calibration.md', import.meta.url), text);
