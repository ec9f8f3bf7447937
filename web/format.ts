/** Numbers and times as people read them. */
import { unpackAddress } from '../src/model/event.ts';

export function clock(micros: number): string {
  const seconds = Math.max(micros, 0) / 1e6;
  const whole = Math.floor(seconds);
  const tenth = Math.floor((seconds - whole) * 10);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const minutes = `${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  return whole >= 3_600 ? `${Math.floor(whole / 3_600)}:${minutes}` : `${minutes}.${tenth}`;
}

export function duration(micros: number): string {
  if (!Number.isFinite(micros)) return 'unknown';
  if (micros < 1_000) return `${Math.round(micros)} µs`;
  if (micros < 1e6) return `${Math.round(micros / 1_000)} ms`;
  if (micros < 60e6) return `${(micros / 1e6).toFixed(1)} s`;
  return `${Math.floor(micros / 60e6)} min ${Math.round((micros % 60e6) / 1e6)} s`;
}

export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'unknown';
}

/** `1 connection`, `2 connections`. */
export function plural(value: number, one: string): string {
  return `${count(value)} ${one}${value === 1 ? '' : 's'}`;
}

export function address(packed: number): string {
  return packed > 0 ? unpackAddress(packed) : 'unknown';
}

export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
