/**
 * A story as the body of an answer. Both forms wait for their reader: a page that is slower than
 * its run gets less often what has gathered, and costs no memory here.
 *
 * Binary: parts of u32 kind (0 JSON, 1 frame), u32 length, and that many bytes, filled to 8.
 * Events: `event: frame` with the frame in base64; `event: names` and `event: face` with JSON.
 */
import type { StoryPart } from './page-run.ts';

export interface StoryBody {
  readonly type: string;
  readonly stream: ReadableStream<Uint8Array>;
}

type Parts = AsyncGenerator<StoryPart, void>;

export function binaryStory(parts: Parts, gone: AbortController, over: () => void): StoryBody {
  return { type: 'application/octet-stream', stream: streamOf(parts, binaryPart, gone, over) };
}

export function eventStory(parts: Parts, gone: AbortController, over: () => void): StoryBody {
  return { type: 'text/event-stream', stream: streamOf(parts, eventPart, gone, over) };
}

function streamOf(
  parts: Parts,
  encode: (part: StoryPart) => Uint8Array,
  gone: AbortController,
  over: () => void,
): ReadableStream<Uint8Array> {
  let ended = false;
  const end = (): void => {
    if (!ended) over();
    ended = true;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await parts.next();
        if (next.done === true) {
          end();
          controller.close();
        } else controller.enqueue(encode(next.value));
      } catch (thrown) {
        end();
        // A damaged recording: the page says what it is, instead of a network error.
        const text = thrown instanceof Error ? thrown.message : String(thrown);
        controller.enqueue(encode({ kind: 'trouble', text }));
        controller.close();
      }
    },
    async cancel() {
      gone.abort();
      end();
      await parts.return();
    },
  });
}

function binaryPart(part: StoryPart): Uint8Array {
  const isFrame = part.kind === 'frame';
  const payload = isFrame ? part.frame : new TextEncoder().encode(JSON.stringify(part));
  const bytes = new Uint8Array(8 + Math.ceil(payload.length / 8) * 8);
  new Uint32Array(bytes.buffer, 0, 2).set([isFrame ? 1 : 0, payload.length]);
  bytes.set(payload, 8);
  return bytes;
}

function eventPart(part: StoryPart): Uint8Array {
  const data =
    part.kind === 'frame' ? Buffer.from(part.frame).toString('base64') : JSON.stringify(part);
  return new TextEncoder().encode(`event: ${part.kind}\ndata: ${data}\n\n`);
}
