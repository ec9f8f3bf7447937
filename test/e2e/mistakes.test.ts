/** What a user sees who gets something wrong: a clear message and the right exit code. */
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('mistakes', () => {
  it('reports every error of a topology at once, with its place and a suggestion', async () => {
    using folder = tempFolder();
    const file = path.join(folder.path, 'wrong.yaml');
    writeFileSync(
      file,
      [
        'name: wrong',
        'hops:',
        '  - name: clients',
        '    kind: cleints',
        '  - name: queue',
        '    kind: connection-queue',
        '    activeMax: -3',
        '    reclaim: idle-yeild',
        '    heldTimeout: 75',
        '  - name: app',
        '    kind: app',
        '    sevriceTime: 5ms',
        '',
      ].join('\n'),
    );
    const result = await runCli(['run', file]);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    for (const place of ['4:11', '7:16', '8:14', '9:18', '12:5']) {
      expect(result.stderr).toContain(`wrong.yaml:${place}: error:`);
    }
    for (const suggestion of ['clients', 'idle-yield', '75s', 'serviceTime']) {
      expect(result.stderr).toContain(suggestion);
    }
  });

  it('refuses a bad --set, an unknown option and a missing file with exit code 2', async () => {
    const set = await runCli(['run', 'examples/direct.yaml', '--set', 'app.serviceTimes=5ms']);
    expect(set.code).toBe(2);
    expect(set.stderr).toContain('--set');
    expect(set.stderr).toContain('serviceTime');
    const option = await runCli(['run', 'examples/direct.yaml', '--sede', '1']);
    expect(option.code).toBe(2);
    expect(option.stderr).toContain('--seed');
    const missing = await runCli(['run', 'examples/nothing-here.yaml']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toBe(
      'waterhammer: error: there is no file examples/nothing-here.yaml\n',
    );
    const folder = await runCli(['simulate', 'examples']);
    expect([folder.code, folder.stderr]).toEqual([
      2,
      'waterhammer: error: this is a folder, no file: examples\n',
    ]);
    // What has no end is not read to its end.
    const endless = await runCli(['simulate', '/dev/zero']);
    expect(endless.code).toBe(2);
    expect(endless.stderr).toContain('larger than 1 MiB');
  });

  it('reports a bad value under the option that was typed', async () => {
    for (const command of ['run', 'simulate', 'explain']) {
      const { code, stderr } = await runCli([command, 'examples/direct.yaml', '--duration', '5']);
      expect([command, code]).toEqual([command, 2]);
      expect(stderr).toContain('--duration:1:1: error: duration: the duration 5 has no unit');
      expect(stderr).not.toContain('--set');
    }
    const wrong = ['--start', '25:00', '--duration', '', '--set', 'duration=5s'];
    const both = await runCli(['simulate', 'examples/direct.yaml', ...wrong]);
    expect(both.code).toBe(2);
    expect(both.stderr).toMatch(/^--start:1:1: error: .*time of day/m);
    expect(both.stderr).toMatch(/^--duration:1:1: error: duration: "" is not a duration/m);
  });

  it('names all that is wrong with its options and arguments at once', async () => {
    const wrong = ['--seed', '1.5', '--detail', 'much', '--scale', '0', '--sede', '2', '--set'];
    const result = await runCli(['simulate', 'examples/direct.yaml', ...wrong]);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    for (const option of ['--seed', '--detail', '--scale', '--sede', '--set']) {
      expect(result.stderr).toMatch(new RegExp(`^error: .*option '${option}`, 'm'));
    }
    expect(result.stderr).toContain('(Did you mean --seed?)');
    expect(result.stderr).toMatch(/\n5 errors\n$/);
    const two = await runCli(['calibrate', '--workers', '0']);
    expect(two.code).toBe(2);
    for (const what of ['--workers', '--targets', "'topology'"]) expect(two.stderr).toContain(what);
    const alone = await runCli(['--bogus']);
    expect([alone.code, alone.stderr]).toEqual([2, "error: unknown option '--bogus'\n"]);
  });

  it('names all that is wrong with a diagram at once, and a port that there is not', async () => {
    const wrong = ['--client', 'x', '--requests', '3..1', '--format', 'gif', '--which', 'none'];
    const diagram = await runCli(['diagram', 'nowhere', ...wrong]);
    expect(diagram.code).toBe(2);
    for (const option of ['--client', '--requests', '--format', '--which']) {
      expect(diagram.stderr).toContain(`error: ${option}`);
    }
    const port = await runCli(['open', 'nowhere', '--port', '99999']);
    expect(port.code).toBe(2);
    expect(port.stderr).toContain('65535');
  });

  it('says which hop cannot listen when its port is in use', async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const bound = taken.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const result = await runCli([
      'run',
      'examples/direct.yaml',
      '--set',
      `app.listen=127.0.0.1:${bound.port}`,
    ]);
    taken.close();
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/"app" cannot listen.*EADDRINUSE/);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
  });

  it.each([
    ['nginx', 'web-server', 'nginx'],
    ['mariadb', 'database', 'mariadb-server'],
  ])('names the package when %s is missing', async (implementation, kind, debianPackage) => {
    using folder = tempFolder();
    const file = path.join(folder.path, 'chain.yaml');
    const server = `  - { name: server, kind: ${kind}, implementation: ${implementation} }`;
    const app = '  - { name: app, kind: app }';
    const hops = kind === 'database' ? [app, server] : [server, app];
    writeFileSync(
      file,
      ['name: chain', 'hops:', '  - { name: clients, kind: clients }', ...hops, ''].join('\n'),
    );
    const result = await runCli(['run', file, '--duration', '1s'], {
      env: { PATH: folder.path, WATERHAMMER_PROGRAM_PATH: folder.path },
    });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(debianPackage);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
  });
});
