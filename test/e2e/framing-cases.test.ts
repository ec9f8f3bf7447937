/**
 * HTTP/1.1 framing against real nginx and node:http, by the table in framing-cases.ts: whatever
 * our relay passes on reaches the upstream as it was meant, whatever it refuses does not reach
 * it with a single byte, and where a peer thinks otherwise the table says why.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireProgram } from '../support/skips.ts';
import { type Case, cases, LAST } from './framing-cases.ts';
import {
  exchange,
  type Front,
  readAll,
  startNode,
  startOurs,
  startReal,
} from './framing-fronts.ts';

let ours: Front;
let node: Front;
beforeAll(async () => {
  ours = await startOurs();
  node = await startNode();
});
afterAll(async () => {
  await ours.stop();
  await node.stop();
});

async function ask(front: Front, pieces: readonly string[]) {
  front.seen.length = 0;
  front.wire.bytes = '';
  return exchange(front.port, pieces, front.name === 'ours' ? 'the end' : 'an error');
}

/** Whether any of a case, and not only what stands behind it, was passed on. */
function passedOn(front: Front): boolean {
  if (front.name === 'node') return front.seen.some(({ target }) => target !== '/last');
  return front.wire.bytes.split('GET /last')[0] !== '';
}

const named = cases.map((one): [string, Case] => [one.name, one]);

/** What came of a case at our relay. */
function expectHandled({ name, refused, text, node: reason }: Case, statuses: readonly number[]) {
  const { requests } = readAll(text + LAST);
  if (refused > 0) {
    expect(statuses.at(-1), name).toBe(refused);
    expect(ours.seen, name).toEqual([]);
    expect(ours.wire.bytes, name).not.toContain('/last');
    return;
  }
  expect(passedOn(ours), name).toBe(true);
  // The upstream, being node, may refuse what it understood; it never understands anything else.
  const left = requests.filter((one) => ours.seen.some((seen) => same(seen, one)));
  expect(ours.seen, name).toEqual(reason === undefined ? requests : left);
}

describe('our relay', () => {
  it.each(named)('%s', async (_name, one) => {
    expect(readAll(one.text + LAST).refused).toBe(one.refused);
    const got = await ask(ours, [one.text + LAST]);
    expectHandled(one, got.statuses);
    if (one.refused === 0) return;
    expect(got.statuses).toEqual([one.refused]);
    expect(got.text).toContain('\r\nConnection: close\r\n');
    expect(ours.wire.bytes).toBe('');
  });

  it('makes the same of them when every byte comes alone', async () => {
    for (const one of cases.filter(({ text }) => text.length < 400)) {
      const got = await ask(ours, [...one.text, LAST]);
      expectHandled(one, got.statuses);
    }
  });
});

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Disagreements that the table does not explain. */
async function unexplained(front: Front, peer: 'nginx' | 'node'): Promise<string[]> {
  const found: string[] = [];
  for (const one of cases) {
    await ask(front, [one.text + LAST]);
    const agrees = passedOn(front) === (one.refused === 0);
    // Peers change: one that has come to agree is no fault.
    if (!agrees && one[peer] === undefined) found.push(`${one.name}: ${peer} thinks otherwise`);
    const { requests } = readAll(one.text + LAST);
    if (agrees && one.refused === 0 && peer === 'node') {
      const others = front.seen.filter((seen) => !requests.some((ours) => same(seen, ours)));
      found.push(...others.map((seen) => `${one.name}: understood ${JSON.stringify(seen)}`));
    }
  }
  return found;
}

it('node:http agrees, or the table says why not', async () => {
  expect(await unexplained(node, 'node')).toEqual([]);
});

it('nginx agrees, or the table says why not', async (context) => {
  requireProgram('nginx', context);
  const nginx = await startReal();
  try {
    expect(await unexplained(nginx, 'nginx')).toEqual([]);
  } finally {
    await nginx.stop();
  }
});
