import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { descriptorsForConnections, openFilesMax, spoolBlocksMax } from './process-limits.ts';

afterEach(() => vi.unstubAllEnvs());

it('reads the soft limit of open files, as the shell tells it', () => {
  const script = 'ulimit -Sn 321; cat /proc/self/limits';
  const limits = execFileSync('/bin/sh', ['-c', script]).toString();
  expect(openFilesMax(limits)).toBe(321);
  expect(openFilesMax('')).toBe(Number.POSITIVE_INFINITY);
  expect(openFilesMax('Max open files            unlimited            unlimited  files')).toBe(
    Number.POSITIVE_INFINITY,
  );
});

it('leaves a reserve below the limit of this process', () => {
  const system = openFilesMax(readFileSync('/proc/self/limits', 'latin1'));
  expect(descriptorsForConnections(10)).toBe(system - 138);
});

it('takes smaller limits from the environment, and nothing but numbers', () => {
  vi.stubEnv('WATERHAMMER_DESCRIPTORS_MAX', '40');
  expect(descriptorsForConnections(10)).toBe(40);
  vi.stubEnv('WATERHAMMER_DESCRIPTORS_MAX', '1e12');
  expect(descriptorsForConnections(10)).toBeLessThan(1e12);
  vi.stubEnv('WATERHAMMER_SPOOL_BLOCKS_MAX', 'many');
  expect(spoolBlocksMax()).toBe(64);
  vi.stubEnv('WATERHAMMER_SPOOL_BLOCKS_MAX', '2');
  expect(spoolBlocksMax()).toBe(2);
});
