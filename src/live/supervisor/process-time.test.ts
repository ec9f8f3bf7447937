/** CPU time from the kernel: of a real process tree in a session of its own, and the machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { machineTime, sessionTime } from './process-time.ts';

/** A shell whose child burns 300 ms of CPU time, waits, and is gone; then another one waits. */
const BURN = `
"$1" -e '
  while (process.cpuUsage().user < 300_000);
  console.log("burnt");
  process.stdin.once("data", () => process.exit());
'
echo reaped
read -r _
`;

it('counts children of a session, while they run and when they are gone', async () => {
  const shell = spawn('/bin/sh', ['-c', BURN, '(sh) ) 1 2', process.execPath], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const session = shell.pid ?? -1;
    const [burnt] = await once(shell.stdout.setEncoding('utf8'), 'data');
    expect(burnt).toBe('burnt\n');
    const running = await sessionTime(session);
    expect(running).toBeGreaterThanOrEqual(290_000);
    shell.stdin.write('\n');
    await once(shell.stdout, 'data');
    const gone = await sessionTime(session);
    expect(gone).toBeGreaterThanOrEqual(running ?? Number.POSITIVE_INFINITY);
    shell.stdin.end('\n');
    await once(shell, 'exit');
    expect(await sessionTime(session)).toBeNull();
  } finally {
    if (shell.exitCode === null && shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
  }
});

it('reads the time of all cores, which goes by', async () => {
  const before = await machineTime();
  const until = performance.now() + 100;
  while (performance.now() < until);
  const after = await machineTime();
  if (before === null || after === null) throw new Error('no /proc/stat');
  expect(after.cores).toBeGreaterThanOrEqual(1);
  expect(after.cores).toBe(before.cores);
  const total = after.total - before.total;
  // One core was busy with this loop, as far as it was given one.
  expect(after.busy + after.stolen - before.busy - before.stolen).toBeGreaterThan(20_000);
  expect(after.busy + after.stolen - before.busy - before.stolen).toBeLessThanOrEqual(total);
});
