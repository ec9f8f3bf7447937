/**
 * What the lab used during the load, and whether the lab itself was the bottleneck, so that its
 * latencies tell of this machine instead of the pipeline. Any one of these says so:
 *
 * - Event loop: a request passes every process on its way up and again on its way down, so half
 *   of the p99 latency may be the lab's own waiting when the p99 of one process's event-loop
 *   delay is a quarter of it.
 * - Load generator: a request that is issued late begins late (latency counts from the intended
 *   start): half of the p99 latency.
 * - Saturation: an event loop, or all cores of the machine (stolen time included: it was wanted),
 *   without a pause. One hundredth of the requests makes a p99, so a twentieth of the time is
 *   enough to spoil it; less than two seconds may be a cold start.
 *
 * Waiting below 10 ms is never a bottleneck: timers have a grain of 1 ms, the scheduler's slices
 * and V8's pauses for garbage take a few more, and none of these grows with the load.
 *
 * Left out: what cannot be told from here, such as a foreign program at its end on a machine
 * with room left. It has its CPU seconds, and a real nginx may well be what is studied.
 */
import type { EventLoopAccount, LabAccount } from '../model/lab.ts';
import type { RunInfo } from '../model/run.ts';
import type { ClientsSummary, LabSummary, ProcessSummary } from '../model/summary.ts';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from '../model/units.ts';

const WAITING_MIN: Micros = 10_000;
const DELAY_SHARE = 1 / 4;
const LATENESS_SHARE = 1 / 2;
const SATURATED_MIN: Micros = 2 * MICROS_PER_SECOND;
const SATURATED_TIME_SHARE = 1 / 20;

/** `requests`: answered to clients, whoever they are. */
export function processSummaries(info: RunInfo, requests: number): ProcessSummary[] {
  return (info.lab?.processes ?? []).map(({ name, hops, foreign, sockets, cpu, eventLoop }) => ({
    name,
    hops,
    foreign,
    sockets,
    cpuSeconds: cpu === null ? null : cpu / MICROS_PER_SECOND,
    cpuMicrosPerRequest: cpu === null || requests === 0 ? null : cpu / requests,
    eventLoopDelayMs: eventLoop === null ? null : delaysOf(eventLoop),
    eventLoopUtilisation: eventLoop?.utilisation ?? null,
  }));
}

/** `window`: length of the load. */
export function labSummary(
  info: RunInfo,
  clients: readonly ClientsSummary[],
  window: Micros,
): LabSummary | null {
  const { lab } = info;
  if (lab === null) return null;
  const because = [
    ...waiting(lab, leastP99(clients)),
    ...saturation(lab, Math.max(SATURATED_MIN, window * SATURATED_TIME_SHARE)),
  ];
  return {
    bottleneck: because.length > 0,
    because,
    machine:
      lab.machine === null
        ? null
        : { cores: lab.machine.cores, busy: lab.machine.busy, stolen: lab.machine.stolen },
    load: lab.load.map(({ hop, requests, latenessP99, latenessMax }) => ({
      name: hop,
      requests,
      latenessMs: {
        p99: milliseconds(latenessP99),
        max: latenessMax / MICROS_PER_MILLISECOND,
      },
    })),
  };
}

function delaysOf(loop: EventLoopAccount): ProcessSummary['eventLoopDelayMs'] {
  return {
    p50: milliseconds(loop.delayP50),
    p99: milliseconds(loop.delayP99),
    max: loop.delayMax / MICROS_PER_MILLISECOND,
  };
}

function milliseconds(micros: Micros | null): number | null {
  return micros === null ? null : micros / MICROS_PER_MILLISECOND;
}

/** The smallest p99 that is printed is the first that the lab spoils. */
function leastP99(clients: readonly ClientsSummary[]): Micros | null {
  const all = clients.flatMap(({ latencyMs }) => latencyMs?.p99 ?? []);
  return all.length === 0 ? null : Math.min(...all) * MICROS_PER_MILLISECOND;
}

function waiting(lab: LabAccount, latency: Micros | null): string[] {
  if (latency === null) return [];
  const isLong = (wait: Micros | null | undefined, share: number): wait is number =>
    typeof wait === 'number' && wait > WAITING_MIN && wait > latency * share;
  const ofLatency = `of a p99 latency of ${inMs(latency)}`;
  const reasons: string[] = [];
  for (const { name, hops, eventLoop } of lab.processes) {
    const delay = eventLoop?.delayP99;
    // No request passes the supervisor.
    if (hops.length === 0 || !isLong(delay, DELAY_SHARE)) continue;
    reasons.push(
      `the event loop of process "${name}" was late by ${inMs(delay)} (p99), more than a ` +
        `quarter ${ofLatency}`,
    );
  }
  for (const { hop, latenessP99 } of lab.load) {
    if (!isLong(latenessP99, LATENESS_SHARE)) continue;
    reasons.push(
      `the load generator of "${hop}" issued requests ${inMs(latenessP99)} late (p99), more ` +
        `than half ${ofLatency}`,
    );
  }
  return reasons;
}

function saturation(lab: LabAccount, least: Micros): string[] {
  const reasons: string[] = [];
  for (const { name, eventLoop } of lab.processes) {
    if (eventLoop === null || eventLoop.saturated < least) continue;
    reasons.push(
      `the event loop of process "${name}" had no pause for ${inSeconds(eventLoop.saturated)}`,
    );
  }
  const { machine } = lab;
  if (machine !== null && machine.saturated >= least) {
    const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
    reasons.push(
      `the machine's cores had no pause for ${inSeconds(machine.saturated)} (over the load ` +
        `${percent(machine.busy)} busy, ${percent(machine.stolen)} stolen by its hypervisor)`,
    );
  }
  return reasons;
}

function inMs(micros: Micros): string {
  return `${(micros / MICROS_PER_MILLISECOND).toFixed(1)} ms`;
}

function inSeconds(micros: Micros): string {
  return `${(micros / MICROS_PER_SECOND).toFixed(1)} s`;
}
