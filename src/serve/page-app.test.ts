import { describe, expect, it } from 'vitest';
import { TOKEN_HEADER } from './guard.ts';
import { pageApp, Viewers } from './page-app.ts';
import type { PageRun, StoryPart } from './page-run.ts';

const PORT = 4_711;
const TOKEN = 'a-token-of-enough-length';
const OURS = { host: `127.0.0.1:${PORT}`, [TOKEN_HEADER]: TOKEN };
const JSON_TYPE = { 'content-type': 'application/json' };

function appOf(run: Partial<PageRun> = {}, viewers = new Viewers()) {
  const whole: PageRun = {
    face: () => ({ name: 'shown' }) as ReturnType<PageRun['face']>,
    async *story() {
      yield { kind: 'names', names: [['link:a', 'open']] } satisfies StoryPart;
      yield { kind: 'frame', frame: Uint8Array.of(1, 2, 3) } satisfies StoryPart;
    },
    ...run,
  };
  const index = { bytes: new Uint8Array(0), type: 'text/html' };
  const files = new Map([['/', index]]);
  return pageApp({ runs: [whole], files, token: TOKEN, port: () => PORT, viewers });
}

const status = async (headers: Record<string, string>, path = '/api/runs'): Promise<number> =>
  (await appOf().request(path, { headers })).status;

describe('who may ask', () => {
  it('is our own page, by our own name, with the token', async () => {
    expect(await status(OURS)).toBe(200);
    expect(await status({ ...OURS, host: `localhost:${PORT}` })).toBe(200);
    expect(await status({ ...OURS, [TOKEN_HEADER]: `${TOKEN.slice(0, -1)}x` })).toBe(401);
    expect(await status({ host: OURS.host })).toBe(401);
    expect(await status({ ...OURS, host: `evil.example:${PORT}` })).toBe(421);
    expect(await status({ ...OURS, host: '127.0.0.1:1' })).toBe(421);
    expect(await status({ ...OURS, origin: 'http://evil.example' })).toBe(403);
    expect(await status({ ...OURS, origin: `http://127.0.0.1:${PORT}` })).toBe(200);
    expect(await status({ ...OURS, 'sec-fetch-site': 'cross-site' })).toBe(403);
  });

  it('gets nothing that may run elsewhere, and no file that is not the page', async () => {
    const { headers } = await appOf().request('/', { headers: { host: OURS.host } });
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await status({ host: OURS.host }, '/../package.json')).toBe(404);
  });
});

describe('a story', () => {
  it('comes as binary parts, filled to eight bytes', async () => {
    const answer = await appOf().request('/api/runs/0/story', { headers: OURS });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const [kind, length = 0] = new Uint32Array(bytes.buffer, 0, 2);
    expect(kind).toBe(0);
    const names = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(names.names).toEqual([['link:a', 'open']]);
    expect([...bytes.subarray(-16)]).toEqual([
      ...[1, 0, 0, 0, 3, 0, 0, 0],
      ...[1, 2, 3, 0, 0, 0, 0, 0],
    ]);
  });

  it('that cannot be told to its end says why', async () => {
    const app = appOf({
      async *story() {
        yield { kind: 'frame', frame: Uint8Array.of(1) } satisfies StoryPart;
        throw new Error('exchanges.parquet cannot be read');
      },
    });
    const answer = await app.request('/api/runs/0/events', { headers: OURS });
    expect(await answer.text()).toContain(
      'event: trouble\ndata: {"kind":"trouble","text":"exchanges.parquet cannot be read"}',
    );
  });

  it('comes as server-sent events too', async () => {
    const answer = await appOf().request('/api/runs/0/events', { headers: OURS });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(await answer.text()).toContain('event: frame\ndata: AQID\n\n');
  });

  it('is told to so many at once and to nobody more, and counts who has gone', async () => {
    const viewers = new Viewers();
    for (let one = 0; one < 16; one++) expect(viewers.enter()).toBe(true);
    const app = appOf({}, viewers);
    const ask = () => app.request('/api/runs/0/story', { headers: OURS });
    expect((await ask()).status).toBe(503);
    viewers.leave();
    await (await ask()).arrayBuffer();
    expect(viewers.count).toBe(15);
    expect((await app.request('/api/runs/1/story', { headers: OURS })).status).toBe(404);
  });
});

describe('control', () => {
  const send = (app: ReturnType<typeof appOf>, body: string, headers = JSON_TYPE) =>
    app.request('/api/runs/0/control', { method: 'POST', body, headers: { ...OURS, ...headers } });

  it('reaches a run that takes it, with its answer', async () => {
    const asked: unknown[] = [];
    const app = appOf({
      control: async (request) => {
        asked.push(request);
        return { ok: asked.length === 1, text: 'heard' };
      },
    });
    expect((await send(app, '{"action":"mark"}')).status).toBe(200);
    expect((await send(app, 'no JSON')).status).toBe(422);
    expect(asked).toEqual([{ action: 'mark' }, null]);
    expect((await send(app, '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send(app, `"${'x'.repeat(20_000)}"`)).status).toBe(413);
  });

  it('is refused when the run is over', async () => {
    expect((await send(appOf(), '{}')).status).toBe(409);
  });
});
