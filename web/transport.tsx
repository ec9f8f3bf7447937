/** Play, pause, speed and the time line with its marks: always at hand, at the page's foot. */

import { clock } from './format.ts';
import type { Shown } from './model.ts';
import { SPEEDS } from './player.ts';

export function Transport({ shown }: { shown: Shown }) {
  const { player } = shown;
  const playing = player.playing.value;
  const live = shown.face.value.state === 'running';
  return (
    <footer class="transport">
      <button
        type="button"
        class="play"
        aria-label={playing ? 'pause' : 'play'}
        onClick={() => player.toggle()}
      >
        {playing ? '❚❚' : '▶'}
      </button>
      {live && (
        <button
          type="button"
          class={player.following.value ? 'live on' : 'live'}
          aria-pressed={player.following.value}
          onClick={() => player.follow()}
        >
          live
        </button>
      )}
      <Track shown={shown} />
      <Time shown={shown} />
      <label class="speed">
        <span class="hidden">speed</span>
        <select
          value={String(player.speed.value)}
          onChange={(event) => {
            player.speed.value = Number(event.currentTarget.value);
          }}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={String(speed)}>
              {speed} ×
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}

function Time({ shown }: { shown: Shown }) {
  const { now, until } = shown.player;
  return (
    <span class="time">
      {clock(now.value)} <span>/ {clock(until.value)}</span>
    </span>
  );
}

function Track({ shown }: { shown: Shown }) {
  const { player } = shown;
  const until = Math.max(player.until.value, 1);
  const { marks } = shown.face.value;
  const highlight = shown.highlight.value;
  const share = (at: number): string => `${((Math.min(at, until) / until) * 100).toFixed(3)}%`;
  return (
    <div class="track">
      {highlight !== null && (
        <span
          class="meant"
          style={{ left: share(highlight.from), right: `calc(100% - ${share(highlight.to)})` }}
        />
      )}
      {marks
        .filter((mark) => mark.kind !== 'phase')
        .map((mark) => (
          <button
            key={`${mark.at} ${mark.text}`}
            type="button"
            class={`mark ${mark.kind}`}
            style={{ left: share(mark.at) }}
            title={`${clock(mark.at)}  ${mark.text}`}
            aria-label={`go to ${clock(mark.at)}: ${mark.text}`}
            onClick={() => player.seek(mark.at)}
          />
        ))}
      <input
        type="range"
        aria-label="time"
        aria-valuetext={clock(player.now.value)}
        min={0}
        max={until}
        step={10_000}
        value={player.now.value}
        onInput={(event) => player.seek(Number(event.currentTarget.value))}
      />
    </div>
  );
}
