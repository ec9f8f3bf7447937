/**
 * What the page asks for.
 *
 *   GET  /                       the page, and its files
 *   GET  /api/runs               faces of the runs shown: one, or two side by side
 *   GET  /api/runs/0/story       rows of a run; of one that goes on, as long as it does
 *   GET  /api/runs/0/events      the same as server-sent events
 *   POST /api/runs/0/control     a change or a fault, as `waterhammer control` takes it
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { guardData, guardHost } from './guard.ts';
import type { PageRun } from './page-run.ts';
import { binaryStory, eventStory } from './story-body.ts';
import type { WebFiles } from './web-files.ts';

export interface PageAppOptions {
  readonly runs: readonly PageRun[];
  readonly files: WebFiles;
  readonly token: string;
  readonly port: () => number;
  readonly viewers: Viewers;
}

/** Every page that is open holds one stream: more than a few are a mistake. */
const VIEWERS_MAX = 16;
const CONTROL_BYTES_MAX = 16 * 1_024;

/** Counts who looks. */
export class Viewers {
  #count = 0;
  #everEntered = false;
  readonly #heard = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  get everEntered(): boolean {
    return this.#everEntered;
  }

  /** False when there are too many already. */
  enter(): boolean {
    if (this.#count >= VIEWERS_MAX) return false;
    this.#count += 1;
    this.#everEntered = true;
    return true;
  }

  leave(): void {
    this.#count -= 1;
    for (const heard of this.#heard) heard();
  }

  onLeave(heard: () => void): void {
    this.#heard.add(heard);
  }
}

export function pageApp({ runs, files, token, port, viewers }: PageAppOptions): Hono {
  const app = new Hono();
  app.use(guardHost(port));
  app.use('/api/*', guardData(token));
  app.get('/api/runs', (context) => context.json(runs.map((run) => run.face())));
  app.get('/api/runs/:number/:form{story|events}', (context) => {
    const run = runs[Number(context.req.param('number'))];
    if (run === undefined) return context.notFound();
    if (!viewers.enter()) return context.text('too many pages are open', 503);
    const form = context.req.param('form') === 'events' ? eventStory : binaryStory;
    const gone = new AbortController();
    const { signal } = gone;
    const body = form(run.story(signal), gone, () => viewers.leave());
    return context.body(body.stream, 200, { 'content-type': body.type });
  });
  app.post('/api/runs/:number/control', bodyLimit({ maxSize: CONTROL_BYTES_MAX }), (context) =>
    control(runs[Number(context.req.param('number'))], context),
  );
  app.get('*', (context) => {
    const file = files.get(context.req.path);
    if (file === undefined) return context.notFound();
    return context.body(file.bytes, 200, { 'content-type': file.type });
  });
  return app;
}

async function control(run: PageRun | undefined, context: Context): Promise<Response> {
  if (run?.control === undefined) return context.json({ ok: false, text: 'the run is over' }, 409);
  const type = context.req.header('content-type');
  if (type !== 'application/json') return context.json({ ok: false, text: 'not JSON' }, 415);
  const request: unknown = await context.req.json().catch(() => null);
  const reply = await run.control(request);
  return context.json(reply, reply.ok ? 200 : 422);
}
