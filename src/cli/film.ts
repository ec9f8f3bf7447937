/** `waterhammer film`: a recording as a film of its connections, or one picture of it. */
import { writeFile } from 'node:fs/promises';
import { findChromium } from '../report/browser.ts';
import { film as makeFilm, still } from '../report/film/film.ts';
import { readScene } from '../report/film/read-scene.ts';
import { ExitCode } from './exit-code.ts';
import { sizeText, writeJson, writtenFile } from './written-json.ts';

export interface FilmCommandOptions {
  readonly output: string;
  readonly seconds?: number;
  readonly framesPerSecond: number;
  readonly json?: boolean;
}

/** A film longer than this is not watched. */
const SECONDS_MAX = 60;

export async function film(recording: string, options: FilmCommandOptions): Promise<number> {
  // Before a long recording is read for nothing.
  findChromium();
  const { scene, worstSecond } = await readScene(recording);
  const { output, framesPerSecond } = options;
  const seconds = options.seconds ?? Math.min(SECONDS_MAX, Math.max(1, Math.round(scene.seconds)));
  const isPicture = /\.png$/i.test(output);
  const bytes = isPicture
    ? await still(scene, { second: worstSecond, scale: 1 })
    : await makeFilm(scene, { seconds, framesPerSecond });
  await writeFile(output, bytes);
  const file = writtenFile(output, bytes);
  const frames = Math.round(seconds * framesPerSecond);
  if (options.json === true) {
    const what = isPicture ? { second: worstSecond } : { seconds, framesPerSecond, frames };
    writeJson({ recording, files: [file], ...what });
  } else {
    const what = isPicture ? `second ${worstSecond}` : `${seconds} s, ${frames} frames`;
    process.stderr.write(`${sizeText(file)}, ${what}\n`);
  }
  return ExitCode.done;
}
