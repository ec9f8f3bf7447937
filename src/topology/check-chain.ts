/**
 * Do the hops form a chain? Names are unique, every upstream exists, requests end at an app or
 * a database, and nothing goes round in circles.
 */
import { isBalancer, type Outline, type OutlineHop, type Report, upstreamOf } from './outline.ts';
import { didYouMeanOr } from './suggest.ts';

export function checkChain(outline: Outline, report: Report): void {
  checkNames(outline, report);
  for (const hop of outline.hops) checkUpstream(outline, hop, report);
  checkCycles(outline, report);
  if (outline.uncertain || outline.hops.length === 0) return;
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
    if (!outline.uncertain) report(path, message, didYouMeanOr(hop.upstream, others, 'hops'));
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

function checkCycles(outline: Outline, report: Report): void {
  const reported = new Set<OutlineHop>();
  for (const hop of outline.hops) {
    const round = [hop, ...upstreamOf(outline, hop)];
    const last = round.at(-1);
    const back = last?.upstream === undefined ? null : last.upstream;
    if (back !== hop.name || back === null || reported.has(hop)) continue;
    for (const one of round) reported.add(one);
    const names = [...round.map((one) => one.name), hop.name].join(' -> ');
    report(['hops', hop.index, 'upstream'], `requests go round in circles: ${names}`, null);
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
