/** Fetches runs and their stories. The token stands behind the `#` of the address. */
import type { RunFace } from '../../src/serve/story/run-face.ts';
import type { Story } from './story.ts';

const TOKEN_KEY = 'waterhammer-token';

function token(): string {
  const given = location.hash.slice(1);
  if (/^[\w-]{16,}$/.test(given)) {
    sessionStorage.setItem(TOKEN_KEY, given);
    return given;
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, 'x-waterhammer-token': token() };
  const response = await fetch(path, { ...init, headers });
  if (response.ok || response.status === 422 || response.status === 409) return response;
  throw new Error(await response.text());
}

export async function fetchRuns(): Promise<readonly RunFace[]> {
  return (await ask('api/runs')).json();
}

/** What a part of a story may be, beside frames. */
type Told =
  | { readonly kind: 'names'; readonly names: readonly (readonly [string, string])[] }
  | { readonly kind: 'face'; readonly face: RunFace }
  | { readonly kind: 'trouble'; readonly text: string };

/** Calls `onPart` after each part that has come; resolves when the story is over. */
export async function follow(number: number, story: Story, onPart: () => void): Promise<void> {
  const live = story.face.state === 'running';
  const response = await ask(`api/runs/${number}/${live ? 'events' : 'story'}`);
  const read = live ? new EventParts(story) : new BinaryParts(story);
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    read.take(value);
    story.settle();
    onPart();
  }
}

export async function sendControl(
  number: number,
  action: string,
  words: readonly string[],
): Promise<{ ok: boolean; text: string }> {
  const body = JSON.stringify({ action, arguments: words });
  const headers = { 'content-type': 'application/json' };
  return (await ask(`api/runs/${number}/control`, { method: 'POST', body, headers })).json();
}

function told(story: Story, part: Told): void {
  if (part.kind === 'names') story.names(part.names);
  else if (part.kind === 'face') story.face = part.face;
  else throw new Error(part.text);
}

/** u32 kind, u32 length, bytes filled to 8. */
class BinaryParts {
  readonly #story: Story;
  #rest = new Uint8Array(0);

  constructor(story: Story) {
    this.#story = story;
  }

  take(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    let at = 0;
    while (at + 8 <= bytes.length) {
      const [kind = 0, length = 0] = new Uint32Array(bytes.buffer, at, 2);
      const end = at + 8 + Math.ceil(length / 8) * 8;
      if (end > bytes.length) break;
      const payload = bytes.subarray(at + 8, at + 8 + length);
      if (kind === 1) this.#story.frame(payload);
      else told(this.#story, JSON.parse(new TextDecoder().decode(payload)) as Told);
      at = end;
    }
    this.#rest = bytes.slice(at);
  }
}

/** Of base64. `Uint8Array.from` would take ten times as long. */
function bytesOf(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

const LINE_FEED = 10;

/** Server-sent events: an empty line ends each. */
class EventParts {
  readonly #story: Story;
  readonly #decoder = new TextDecoder();
  #rest = new Uint8Array(0);

  constructor(story: Story) {
    this.#story = story;
  }

  take(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
      if (bytes[at + 1] !== LINE_FEED) continue;
      this.#event(this.#decoder.decode(bytes.subarray(from, at)));
      from = at + 2;
    }
    this.#rest = bytes.slice(from);
  }

  #event(text: string): void {
    const data = text.slice(text.indexOf('\ndata: ') + 7);
    if (text.startsWith('event: frame')) this.#story.frame(bytesOf(data));
    else told(this.#story, JSON.parse(data) as Told);
  }
}

function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}
