/**
 * The time that is looked at. Everything on the page shows the run as it stood then: playing
 * moves it on, a live run is followed at its end until somebody looks back.
 */
import { computed, signal } from '@preact/signals';
import type { Story } from './data/story.ts';

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30] as const;

/** Behind what was told last, so that the present second is whole. */
const LIVE_LAG = 300_000;
const CATCH_UP_MS = 500;

export class Player {
  /** µs since the start of the load. */
  readonly now = signal(0);
  readonly playing = signal(false);
  readonly speed = signal(1);
  readonly following = signal(false);
  readonly until = signal(1);
  readonly second = computed(() => Math.floor(this.now.value / 1e6));

  constructor(story: Story) {
    this.until.value = story.until;
    this.following.value = story.face.state === 'running';
    this.playing.value = this.following.value;
  }

  /** A picture is due; `elapsed` ms since the last one. */
  tick(elapsed: number): void {
    if (!this.playing.value) return;
    const until = this.until.value;
    if (this.following.value) {
      const target = Math.max(until - LIVE_LAG, 0);
      const next = this.now.value + elapsed * 1_000;
      const behind = target - next;
      // It glides, so that pipes do not stutter: at the run's own pace, or after one that
      // goes faster than time. Ahead of the run it waits there.
      const caughtUp = behind > 1.5e6 ? next + behind * Math.min(1, elapsed / CATCH_UP_MS) : next;
      this.now.value = behind < -1.5e6 ? target : Math.min(caughtUp, until);
      return;
    }
    const next = this.now.value + elapsed * 1_000 * this.speed.value;
    this.now.value = Math.min(next, until);
    if (next >= until) this.playing.value = false;
  }

  toggle(): void {
    if (!this.playing.value && this.now.value >= this.until.value) this.now.value = 0;
    this.playing.value = !this.playing.value;
    if (!this.playing.value) this.following.value = false;
  }

  seek(at: number): void {
    this.following.value = false;
    this.now.value = Math.min(Math.max(at, 0), this.until.value);
  }

  step(by: number): void {
    this.seek(this.now.value + by);
  }

  faster(by: 1 | -1): void {
    const at = SPEEDS.indexOf(this.speed.value as (typeof SPEEDS)[number]);
    this.speed.value = SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)] ?? 1;
  }

  follow(): void {
    this.following.value = true;
    this.playing.value = true;
  }

  /** µs that a picture stands for. */
  get shutter(): number {
    return this.playing.value ? Math.max(16_000, 16_000 * this.speed.value) : 50_000;
  }
}
