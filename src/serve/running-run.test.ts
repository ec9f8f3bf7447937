import { expect, it } from 'vitest';
import type { StoryPart } from './page-run.ts';
import { RunningRun } from './running-run.ts';
import type { RunFace } from './story/run-face.ts';

const face = (): RunFace => ({ name: 'run' }) as RunFace;
const part = (byte: number): StoryPart => ({ kind: 'frame', frame: Uint8Array.of(byte) });
const told = (parts: readonly StoryPart[]): (number | string)[] =>
  parts.map((one) => (one.kind === 'frame' ? (one.frame[0] ?? -1) : one.kind));

async function all(story: AsyncGenerator<StoryPart, void>): Promise<StoryPart[]> {
  const parts: StoryPart[] = [];
  for await (const one of story) parts.push(one);
  return parts;
}

it('tells a page that comes late what was told before, and what comes, to the end', async () => {
  const run = new RunningRun({ face });
  run.tell([part(1)], [part(1)]);
  const heard = all(run.story(new AbortController().signal));
  await Promise.resolve();
  run.tell([part(2)], [part(1), part(2)]);
  run.over();
  expect(told(await heard)).toEqual(['face', 1, 2, 'face']);
  expect(told(await all(run.story(new AbortController().signal)))).toEqual(['face', 1, 2]);
});

it('ends for a page that has gone', async () => {
  const run = new RunningRun({ face });
  const gone = new AbortController();
  const heard = all(run.story(gone.signal));
  gone.abort();
  expect(told(await heard)).toEqual(['face']);
});

it('takes control as long as it goes on', async () => {
  const control = async () => ({ ok: true, text: 'applied' });
  const run = new RunningRun({ face, control });
  expect(await run.control({})).toEqual({ ok: true, text: 'applied' });
  run.over();
  expect((await run.control({})).ok).toBe(false);
});
