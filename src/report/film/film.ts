/**
 * A film of a recording: the pipeline picture (`paint.ts`) frame by frame onto a canvas of a
 * headless Chromium, encoded there as H.264 (WebCodecs) and put into an MP4 file. The page gets
 * our own built modules and the scene through intercepted requests; nothing goes to a network.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { BrowserError, withPage } from '../browser.ts';
import { DARK, LIGHT } from '../palette.ts';
import { PICTURE } from './paint.ts';
import type { Scene } from './scene.ts';

/** Localhost is a secure context, which WebCodecs wants; every request to it is intercepted. */
const ORIGIN = 'http://localhost';
const BITS_PER_SECOND = 4_000_000;

export interface FilmOptions {
  /** Length of the film; the load is shown faster or slower to fit. */
  readonly seconds: number;
  readonly framesPerSecond: number;
}

/** MP4. Throws a BrowserError (`browser-missing`, `browser-failed`). */
export async function film(scene: Scene, options: FilmOptions): Promise<Buffer> {
  const settings = { ...options, ...PICTURE, bitsPerSecond: BITS_PER_SECOND, palette: DARK };
  return inPage(scene, `makeFilm(${JSON.stringify(settings)})`);
}

/** PNG of one instant. Throws a BrowserError. */
export async function still(
  scene: Scene,
  { second, scale }: { readonly second: number; readonly scale: number },
): Promise<Buffer> {
  const settings = { ...PICTURE, second, scale, palette: LIGHT };
  return inPage(scene, `makeStill(${JSON.stringify(settings)})`);
}

async function inPage(scene: Scene, call: string): Promise<Buffer> {
  return withPage(async (page) => {
    await serve(page, scene);
    await page.goto(`${ORIGIN}/`);
    await page.waitForFunction('globalThis.makeFilm !== undefined');
    let base64: unknown;
    try {
      base64 = await page.evaluate(call);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown);
      throw new BrowserError('browser-failed', `the film could not be made: ${reason}`, thrown);
    }
    return Buffer.from(String(base64), 'base64');
  });
}

async function serve(page: Page, scene: Scene): Promise<void> {
  const module = async (url: string): Promise<string> => readFile(fileURLToPath(url), 'utf8');
  const muxer = import.meta.resolve('mp4-muxer').replace(/\.js$/, '.mjs');
  const files: Readonly<Record<string, () => Promise<string> | string>> = {
    '/': () => '<!doctype html><title>film</title><script type="module" src="/main.js"></script>',
    '/main.js': () => PAGE_SCRIPT,
    '/mp4-muxer.js': () => module(muxer),
    '/scene.json': () => JSON.stringify(scene),
  };
  await page.route(`${ORIGIN}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    // Paint and what it imports are built beside this file.
    const ours = () => module(new URL(`.${path}`, import.meta.url).href);
    const file = files[path] ?? (/^\/[\w-]+\.js$/.test(path) ? ours : null);
    if (file === null) return route.fulfill({ status: 404, body: '' });
    const type = path.endsWith('.json') ? 'application/json' : 'text/javascript';
    const contentType = path === '/' ? 'text/html; charset=utf-8' : `${type}; charset=utf-8`;
    return route.fulfill({ contentType, body: await file() });
  });
}

/** Runs in the browser: it is a text, because this project's types are those of Node. */
const PAGE_SCRIPT = `
import { paint } from '/paint.js';
import { ArrayBufferTarget, Muxer } from '/mp4-muxer.js';

const scene = await (await fetch('/scene.json')).json();

function canvasOf({ width, height, scale = 1 }) {
  const canvas = new OffscreenCanvas(width * scale, height * scale);
  const brush = canvas.getContext('2d', { alpha: false });
  brush.scale(scale, scale);
  return { canvas, brush };
}

function base64(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return btoa(text);
}

globalThis.makeStill = async (settings) => {
  const { canvas, brush } = canvasOf(settings);
  paint(brush, scene, settings.second, settings.palette);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return base64(new Uint8Array(await blob.arrayBuffer()));
};

globalThis.makeFilm = async (settings) => {
  const { width, height, seconds, framesPerSecond, bitsPerSecond, palette } = settings;
  const { canvas, brush } = canvasOf(settings);
  const target = new ArrayBufferTarget();
  const video = { codec: 'avc', width, height, frameRate: framesPerSecond };
  const muxer = new Muxer({ target, video, fastStart: 'in-memory' });
  let failure = null;
  const encoder = new VideoEncoder({
    output: (chunk, meta) => muxer.addVideoChunk(chunk, meta),
    error: (error) => { failure = error; },
  });
  const config = { codec: 'avc1.42001f', width, height, bitrate: bitsPerSecond,
    framerate: framesPerSecond };
  const { supported } = await VideoEncoder.isConfigSupported(config);
  if (!supported) throw new Error('this Chromium has no H.264 encoder');
  encoder.configure(config);
  const frames = Math.round(seconds * framesPerSecond);
  for (let frame = 0; frame < frames; frame++) {
    const share = frames > 1 ? frame / (frames - 1) : 1;
    paint(brush, scene, share * scene.seconds, palette);
    const timestamp = Math.round((frame * 1e6) / framesPerSecond);
    const duration = Math.round(1e6 / framesPerSecond);
    const picture = new VideoFrame(canvas, { timestamp, duration });
    encoder.encode(picture, { keyFrame: frame % (2 * framesPerSecond) === 0 });
    picture.close();
    while (encoder.encodeQueueSize > 8) await new Promise((wake) => setTimeout(wake, 1));
    if (failure !== null) throw failure;
  }
  await encoder.flush();
  if (failure !== null) throw failure;
  muxer.finalize();
  return base64(new Uint8Array(target.buffer));
};
`;
