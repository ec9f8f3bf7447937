/** The summary of a run for people: clients, the lab, links, queues, books, findings. */

import type {
  ClientsSummary,
  LinkSummary,
  QueueSummary,
  StationSummary,
  Summary,
} from '../model/summary.ts';
import { labText } from './lab-text.ts';
import { table } from './table.ts';

/** Unknown is a dash, never 0. */
function number(value: number | null, digits = 0): string {
  return value === null ? '-' : value.toFixed(digits);
}

function clientsTable(clients: readonly ClientsSummary[]): string {
  const head =
    'clients count served starved sent ok 429 5xx timeouts resets retries pending p50ms p99ms';
  return table([
    head.split(' '),
    ...clients.map(({ requests, latencyMs, ...group }) => [
      group.name,
      String(group.count),
      String(group.served),
      number(group.starved),
      String(requests.sent),
      String(requests.ok),
      String(requests.throttled429),
      String(requests.serverErrors5xx),
      String(requests.timeouts),
      String(requests.resets),
      String(requests.retries),
      String(requests.pending),
      number(latencyMs?.p50 ?? null, 1),
      number(latencyMs?.p99 ?? null, 1),
    ]),
  ]);
}

function linksTable(links: readonly LinkSummary[]): string {
  return table([
    [
      'link',
      'opened',
      'closed',
      'open',
      'exchanges',
      'requests/new',
      'multiplication',
      'closed by',
    ],
    ...links.map((link) => [
      link.name,
      number(link.opened),
      number(link.closed),
      number(link.open),
      number(link.exchanges),
      number(link.requestsPerNewConnection, 1),
      number(link.multiplication, 1),
      Object.entries(link.closedBy)
        .map(([cause, count]) => `${cause} ${count}`)
        .join(', '),
    ]),
  ]);
}

function queuesTable(queues: readonly QueueSummary[]): string {
  return table([
    [
      'queue',
      'slots',
      'held max',
      'occupancy',
      'utilisation',
      'hoarded s',
      'starved',
      'yielded',
      'zombies',
    ],
    ...queues.map((queue) => [
      queue.name,
      String(queue.activeMax),
      String(queue.heldMax),
      number(queue.slotOccupancy, 3),
      number(queue.slotUtilisation, 3),
      number(queue.hoardedSlotSeconds, 1),
      number(queue.starvedConnections),
      String(queue.yielded),
      number(queue.zombieExchanges),
    ]),
  ]);
}

function stationsTable(stations: readonly StationSummary[]): string {
  return table([
    ['service', 'at a time', 'cpu utilisation', 'load', 'waiting', 'connections max'],
    ...stations.map((station) => [
      station.name,
      station.concurrencyMax === 0 ? '-' : String(station.concurrencyMax),
      number(station.cpuUtilisation, 3),
      number(station.load, 2),
      number(station.waiting, 2),
      number(station.connectionsMax),
    ]),
  ]);
}

/** Everything that `run` prints on stdout when no JSON is asked for. */
export function textSummary(summary: Summary): string {
  const { topology, seed, version, durationSeconds } = summary;
  const parts = [
    `${topology.name}: ${durationSeconds.toFixed(1)} s, seed ${seed}, version ${version}, ` +
      `topology ${topology.hash}\n`,
    clientsTable(summary.clients),
  ];
  if (summary.lab !== null) parts.push(labText(summary));
  parts.push(linksTable(summary.links));
  if (summary.queues.length > 0) parts.push(queuesTable(summary.queues));
  if (summary.stations.length > 0) parts.push(stationsTable(summary.stations));
  parts.push(booksText(summary), findingsText(summary));
  if (summary.recording !== null) parts.push(`recording: ${summary.recording}\n`);
  return parts.join('\n');
}

export function booksText(summary: Summary): string {
  const verdict =
    summary.balanced === null
      ? 'The books cannot be struck: something needed is not known.'
      : summary.balanced
        ? 'The books balance: opened = closed + open on every link, sent = answered + failed + ' +
          'pending.'
        : 'THE BOOKS DO NOT BALANCE.';
  const lines = summary.imbalances.map(
    (one) =>
      `  ${one.explained ? 'explained' : 'WRONG'}: ${one.text} (${one.count})\n` +
      one.examples.map((example) => `      ${example}\n`).join(''),
  );
  return `${verdict}\n${lines.join('')}`;
}

export function findingsText(summary: Summary): string {
  if (summary.findings.length === 0) return 'No findings.\n';
  return summary.findings
    .map((finding) => {
      const place = finding.hop === null ? '' : ` at ${finding.hop}`;
      return (
        `${finding.severity.toUpperCase()} ${finding.kind}${place}\n  ${finding.title}\n  ` +
        `-> ${finding.remedy}\n`
      );
    })
    .join('');
}
