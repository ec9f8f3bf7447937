/**
 * Do the hops form a chain? Names are unique, every upstream exists, requests end at an app or
 * a database, and nothing goes round in circles.
 */
import { isBalancer, type Outline, type OutlineHop, type Report, upstreamOf } from './outline.ts';
import { entry } from './raw.ts';
import { didYouMeanOr } from './suggest.ts';

export function checkChain(outline: Outline, report: Report): void {
  let broken = outline.uncertain;
  const reportBroken: Report = (...problem) => {
    broken = true;
    report(...problem);
  };
  checkNames(outline, reportBroken);
  for (const hop of outline.hops) checkUpstream(outline, hop, reportBroken);
  checkCycles(outline, reportBroken);
  // What a broken chain does not reach is no news.
  if (broken || outline.hops.length === 0) return;
  if (!outline.hops.some((hop) => hop.kind === 'clients')) {
    report(['hops'], 'no hop of kind clients', 'add { name: clients, kind: clients }', 'key');
  }
  checkReached(outline, report);
}

function checkNames(outline: Outline, report: Report): void {
  const seen = new Set<string>();
  const check = (name: string | null, path: readonly (string | number)[]): void => {
    if (name === null) return;
    if (seen.has(name)) {
      report(path, `the name "${name}" is already taken`, 'hops and hosts share one set of names');
    }
    seen.add(name);
  };
  for (const hop of outline.hops) check(hop.name, ['hops', hop.index, 'name']);
  for (const group of outline.hosts) check(group.name, ['hosts', group.index, 'name']);
}

function checkUpstream(outline: Outline, hop: OutlineHop, report: Report): void {
  const path = ['hops', hop.index, 'upstream'];
  if (hop.kind === null) return;
  if (hop.upstream === null) {
    if (outline.uncertain || hop.kind === 'app' || hop.kind === 'database') return;
    const message = `${hop.name ?? hop.kind} has nothing upstream: its requests end nowhere`;
    report(path, message, 'add an app after it, or name the next hop with upstream:');
    return;
  }
  const next = outline.byName.get(hop.upstream);
  if (next === undefined) {
    const others = [...outline.byName.keys()].filter((name) => name !== hop.name);
    const message = `there is no hop named "${hop.upstream}"`;
    if (!outline.unnamed) report(path, message, didYouMeanOr(hop.upstream, others, 'hops'));
    return;
  }
  if (next.kind === 'clients') {
    report(
      path,
      `"${hop.upstream}" are clients: nothing is upstream of them but what they ask`,
      null,
    );
    return;
  }
  checkSpeaks(outline, hop, next, report);
}

/** Only an app speaks to a database (L4 relays may pass it on), and only to one. */
function checkSpeaks(outline: Outline, hop: OutlineHop, next: OutlineHop, report: Report): void {
  const path = ['hops', hop.index, 'upstream'];
  if (hop.kind === 'database') {
    report(path, 'a database is the end of the chain', 'write upstream: null');
    return;
  }
  if (hop.kind === 'connection-queue' || hop.kind === 'l4-balancer' || next.kind === null) return;
  const answering = [next, ...upstreamOf(outline, next)].find(
    (one) => one.kind !== 'connection-queue' && one.kind !== 'l4-balancer',
  );
  if (hop.kind === 'app' && answering !== undefined && answering.kind !== 'database') {
    const message = `an app asks a database, but "${answering.name}" is of kind ${answering.kind}`;
    report(path, message, 'write upstream: null for an app without a database');
  }
  if (hop.kind !== 'app' && answering?.kind === 'database') {
    report(path, `only an app can ask the database "${answering.name}"`, 'put an app between them');
  }
}

/** Said once per circle, where an upstream is written out, if one is. */
function checkCycles(outline: Outline, report: Report): void {
  const seen = new Set<OutlineHop>();
  for (const hop of outline.hops) {
    const round = [hop, ...upstreamOf(outline, hop)];
    const closes = hop.name !== null && round.at(-1)?.upstream === hop.name;
    // A name that is given twice, or an upstream of a database or to clients, is reported as such.
    const reported = round.some(
      (one) =>
        one.kind === 'database' ||
        one.kind === 'clients' ||
        outline.hops.some((other) => other !== one && other.name === one.name),
    );
    if (!closes || reported || seen.has(hop)) continue;
    for (const one of round) seen.add(one);
    const names = [...round.map((one) => one.name), hop.name].join(' -> ');
    const written = round.find((one) => entry(one.raw, 'upstream') !== undefined) ?? hop;
    const path = ['hops', written.index, 'upstream'];
    report(path, `requests go round in circles: ${names}`, 'break the circle here');
  }
}

function checkReached(outline: Outline, report: Report): void {
  const reached = new Set<OutlineHop>();
  for (const hop of outline.hops) {
    if (hop.kind !== 'clients') continue;
    for (const one of upstreamOf(outline, hop)) reached.add(one);
  }
  if (reached.size === 0) return;
  for (const hop of outline.hops) {
    if (hop.kind === 'clients' || reached.has(hop)) continue;
    const hint = isBalancer(hop.kind) ? 'name it as upstream of the gateway' : null;
    report(
      ['hops', hop.index, 'name'],
      `no clients lead to "${hop.name}"`,
      hint ?? 'name it as the upstream of another hop, or remove it',
    );
  }
}
