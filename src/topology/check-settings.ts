/** Settings that must agree with one another, or with other hops. */

import { checkImplementation } from './check-implementation.ts';
import {
  defaultHealthCheckHop,
  hostsOf,
  isBalancer,
  type Outline,
  type OutlineHop,
  type Report,
  upstreamOf,
} from './outline.ts';
import { entry, text } from './raw.ts';
import { didYouMeanOr } from './suggest.ts';

export function checkSettings(outline: Outline, report: Report): void {
  const listening = new Map<string, string | null>();
  for (const hop of outline.hops) {
    checkListen(hop, listening, report);
    checkImplementation(hop, report);
    if (hop.kind === 'database') checkUrl(hop, report);
    if (hop.kind === 'app') checkPool(hop, outline, report);
    if (isBalancer(hop.kind)) checkHealthCheck(hop, outline, report);
    if (hop.kind === 'connection-queue') checkWhoSpeaks(hop, outline, report);
  }
}

/** Under `watch` who has not spoken gets no slot, and a MySQL client waits for the greeting. */
function checkWhoSpeaks(hop: OutlineHop, outline: Outline, report: Report): void {
  if (entry(hop.raw, 'implementation') === 'haproxy') return;
  const whileHeld = entry(hop.raw, 'whileHeld') ?? 'watch';
  const database = upstreamOf(outline, hop).at(-1);
  const isAsked = upstreamOf(outline, hop).every(({ kind }) => kind !== 'app');
  if (whileHeld !== 'watch' || database?.kind !== 'database' || !isAsked) return;
  report(
    ['hops', hop.index, 'whileHeld'],
    `"${database.name}" speaks first, but "${hop.name}" gives a slot to who has spoken (watch)`,
    'write whileHeld: unread',
  );
}

function checkListen(hop: OutlineHop, listening: Map<string, string | null>, report: Report): void {
  const listen = text(entry(hop.raw, 'listen'));
  if (listen === null) return;
  const path = ['hops', hop.index, 'listen'];
  if (hop.kind === 'clients') {
    report(path, 'clients do not listen', 'set listen on the hop that they talk to');
  }
  const port = Number(/:(\d+)$/.exec(listen)?.[1] ?? 1);
  const octets = listen.replace(/:\d+$/, '').split('.').map(Number);
  if (port < 1 || port > 65_535 || octets.some((octet) => octet > 255)) {
    report(path, `"${listen}" is not an address and port`, 'ports go from 1 to 65535');
  }
  const other = listening.get(listen);
  if (other !== undefined) report(path, `"${other}" listens on ${listen} already`, null);
  listening.set(listen, hop.name);
}

function checkUrl(hop: OutlineHop, report: Report): void {
  const needs = entry(hop.raw, 'implementation') === 'url';
  const given = text(entry(hop.raw, 'url')) !== null;
  if (needs && !given) {
    const hint = 'add url: mysql://user:password@host:port/database';
    report(['hops', hop.index, 'implementation'], 'implementation url needs a url', hint);
  }
  if (!needs && given) {
    const hint = 'write implementation: url, or remove it';
    report(['hops', hop.index, 'url'], 'a url is used only with implementation url', hint, 'key');
  }
}

function checkPool(hop: OutlineHop, outline: Outline, report: Report): void {
  const pool = entry(hop.raw, 'pool');
  const min = entry(pool, 'min') ?? 0;
  const max = entry(pool, 'max') ?? 5;
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    const place = entry(pool, 'min') === undefined ? 'max' : 'min';
    report(
      ['hops', hop.index, 'pool', place],
      `pool.min ${min} is more than pool.max ${max}`,
      null,
    );
  }
  const queries = entry(hop.raw, 'queriesPerRequest');
  if (typeof queries === 'number' && queries > 0 && hop.upstream === null && !outline.uncertain) {
    const message = `"${hop.name}" has no database to make ${queries} queries to`;
    report(
      ['hops', hop.index, 'queriesPerRequest'],
      message,
      'add a hop of kind database, or write 0',
    );
  }
}

/** The hop that is checked must be one that the balancer's requests reach, on its targets. */
function checkHealthCheck(hop: OutlineHop, outline: Outline, report: Report): void {
  const check = entry(hop.raw, 'healthCheck');
  const given = text(entry(check, 'hop'));
  // The default is right, but for a database that is to be checked all the same.
  if (given === null && entry(check, 'enabled') !== true) return;
  const name = given ?? defaultHealthCheckHop(outline, hop);
  if (name === null) return;
  const path = ['hops', hop.index, 'healthCheck', given === null ? 'enabled' : 'hop'];
  const chain = upstreamOf(outline, hop);
  const target = chain.find((one) => one.name === name);
  if (target === undefined) {
    const names = chain.filter((one) => one.kind !== 'database').map((one) => one.name ?? '');
    const message = outline.byName.has(name)
      ? `"${name}" is not upstream of "${hop.name}"`
      : `there is no hop named "${name}"`;
    report(path, message, didYouMeanOr(name, names, 'hops upstream of it'));
    return;
  }
  if (target.kind === 'database') {
    const instead = given === null ? 'remove it' : 'check the web server or the app';
    report(path, 'a database does not answer an HTTP check', instead);
    return;
  }
  const targets = hop.upstream === null ? null : hostsOf(outline, hop.upstream);
  if (targets !== null && !targets.hops.includes(name)) {
    const message = `"${name}" is not on the hosts "${targets.name}": it tells nothing about one`;
    const names = targets.hops.filter((one) => one !== null);
    report(path, message, `choose from: ${names.join(', ')}`);
  }
}
