/**
 * `node scripts/gallery.mjs`: docs/gallery from real simulations of all examples, one picture,
 * the finding and what to learn for each. Nothing in that folder is written by hand: the words are
 * those of the example's own comment, of its findings and of the story that `report` tells. Needs
 * Chromium. With names of examples only those are made anew.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from './setup.mjs';

const { readScene } = await import('../dist/report/film/read-scene.js');
const { still } = await import('../dist/report/film/film.js');
const { readRunData } = await import('../dist/report/run-data.js');
const { storyOf } = await import('../dist/report/story/story.js');
const { clock } = await import('../dist/report/numbers.js');

const only = process.argv.slice(2);
const gallery = join(root, 'docs', 'gallery');
/** An example that is too large for one picture, with what makes it smaller. */
const smaller = {
  'aws-2021': ['--scale', '0.1', '--duration', '30s'],
  'aws-2021-database-spike': ['--scale', '0.03', '--duration', '8m'],
  'aws-2021-nodes-replaced': ['--scale', '0.03', '--duration', '8m'],
  'aws-2021-slow-burst': ['--scale', '0.03', '--duration', '8m'],
  'aws-2021-throttled': ['--scale', '0.03', '--duration', '30m'],
  jmeter: ['--duration', '20s'],
};

const examples = ['', 'findings'].flatMap((folder) =>
  readdirSync(join(root, 'examples', folder))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name: basename(name, '.yaml'), file: join('examples', folder, name) })),
);

mkdirSync(gallery, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'waterhammer-gallery-'));
try {
  const entries = [];
  for (const example of examples) {
    const kept = only.length > 0 && !only.includes(example.name) ? keptEntry(example.name) : null;
    entries.push(kept ?? (await entryOf(example)));
  }
  writeFileSync(join(gallery, 'README.md'), `${head()}\n${entries.join('\n')}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The entry as the last run of this script wrote it. */
function keptEntry(name) {
  const entries = readFileSync(join(gallery, 'README.md'), 'utf8').split(/^(?=## )/m);
  return entries.find((one) => one.startsWith(`## ${name}\n`))?.replace(/\n*$/, '\n') ?? null;
}

function head() {
  return `# Gallery

Every example, simulated with seed 1 by \`node scripts/gallery.mjs\`: the pipeline at the second in
which most requests waited (or most connections were open), what was found, and what to learn.
Blue carries a request, grey is idle, orange holds a request unread. Squares are the slots of a
queue: at work, taken by an idle connection, free.
`;
}

async function entryOf({ name, file }) {
  const recording = join(scratch, name);
  const options = smaller[name] ?? [];
  const args = ['simulate', file, '--seed', '1', ...options];
  const cli = [join(root, 'dist', 'cli', 'main.js'), ...args, '--detail', 'full'];
  execFileSync(process.execPath, [...cli, '--record', recording], { cwd: root, stdio: 'ignore' });
  const { scene, worstSecond } = await readScene(recording);
  writeFileSync(
    join(gallery, `${name}.png`),
    await still(scene, { second: worstSecond, scale: 0.75 }),
  );
  const run = await readRunData(recording);
  const { lead, what, change } = storyOf(run);
  rmSync(recording, { recursive: true });
  process.stderr.write(`${name}\n`);
  const command = change.find((one) => one.command !== null)?.command;
  const cure = command?.replace(
    /^waterhammer simulate topology\.yaml/,
    `waterhammer simulate ${file}`,
  );
  return [
    `## ${name}`,
    '',
    `![${name} at ${clock(worstSecond)}](${name}.png)`,
    '',
    ...lesson(file),
    '',
    `**Found:** ${plain(lead)}`,
    '',
    plain(what[0] ?? ''),
    '',
    ...(change.length > 0 ? [`**To change:** ${plain(change[0].text)}`, ''] : []),
    '```',
    `waterhammer ${args.join(' ')}`,
    ...(cure === undefined ? [] : [cure]),
    '```',
    '',
  ].join('\n');
}

/** The comment at the top of the example: paragraphs become paragraphs. */
function lesson(file) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines.slice(0, end).map((line) => plain(line.replace(/^# ?/, '')));
}

/** Names of hops and options must not become markup. */
function plain(text) {
  return text.replace(/[<>*_[\]]/g, (sign) => `\\${sign}`);
}
