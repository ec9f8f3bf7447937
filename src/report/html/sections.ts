/** The sections of a report, from the story to the way to reproduce it. */

import type { Evidence } from '../../model/summary.ts';
import { explainSettings } from '../../topology/explain.ts';
import { formatDuration } from '../../topology/units.ts';
import { clock, count } from '../numbers.ts';
import { dashOf, type PlotLine, type PlotSpec } from '../plot/plot-spec.ts';
import { plotSvg } from '../plot/plot-svg.ts';
import { recordedDocument } from '../recorded-document.ts';
import type { RunData } from '../run-data.ts';
import { flagsOf, type Moment } from '../story/moments.ts';
import { engineCommand } from '../story/remedy.ts';
import type { Reason, Story } from '../story/story.ts';
import { type Child, element, type Markup, markup } from '../svg/element.ts';
import { cellText, code, details, heading, paragraph, table } from './parts.ts';

export function storySection(story: Story): Markup {
  return markup([
    heading('What happened', 'what'),
    story.what.map((text) => paragraph(text)),
    heading('When', 'when'),
    paragraph('Minutes and seconds after the load began.', 'mute small'),
    moments(story.when),
    story.why.length > 0 ? [heading('Why', 'why'), story.why.map(reason)] : null,
    story.change.length > 0 ? changes(story) : null,
    story.unknown.length > 0
      ? [
          heading('What is not known', 'unknown'),
          element(
            'ul',
            {},
            story.unknown.map((text) => element('li', {}, text)),
          ),
        ]
      : null,
  ]);
}

function moments(list: readonly Moment[]): Markup {
  if (list.length === 0) return paragraph('Nothing was marked, and nothing moved.');
  return element(
    'ol',
    { class: 'when' },
    list.map(({ second, text, kind, flag }) =>
      element(
        'li',
        { class: kind },
        element('time', {}, clock(second)),
        flag === null
          ? element('span', { class: 'dot', 'aria-hidden': 'true' })
          : element('span', { class: 'flag' }, flag),
        element('span', {}, text),
      ),
    ),
  );
}

function reason({ finding, mechanism }: Reason): Markup {
  const { severity, title, hop } = finding;
  const place = hop === null ? severity : `${severity} · ${hop}`;
  return element(
    'div',
    { class: `reason ${severity}` },
    element('p', {}, element('span', { class: 'severity' }, place), element('b', {}, title)),
    mechanism === null ? null : element('p', {}, mechanism),
  );
}

function changes({ change }: Story): Child {
  return [
    heading('What to change', 'change'),
    element(
      'ol',
      {},
      change.map(({ text, command }) =>
        element('li', {}, paragraph(text), command === null ? null : code(command)),
      ),
    ),
  ];
}

/** Each plot twice, for a wide and for a narrow page, because text must not shrink. */
export function plotSection(run: RunData, specs: readonly PlotSpec[], seconds: number): Markup {
  const flags = flagsOf(run);
  const sizes = [
    { name: 'wide', width: 530, height: 210 },
    { name: 'narrow', width: 345, height: 190 },
  ];
  const note =
    'Dashed lines with a number are the moments of the same number under “When”. ' +
    'Times are minutes and seconds after the load began.';
  return markup([
    heading('Charts', 'charts'),
    paragraph(note, 'mute small'),
    element(
      'div',
      { class: 'plots' },
      specs.map((spec) =>
        element(
          'figure',
          {},
          element(
            'figcaption',
            {},
            element('h3', {}, spec.title),
            paragraph(spec.scale === 'log' ? `${spec.what}; log scale` : spec.what),
            key(spec.lines),
          ),
          sizes.map((size) =>
            element('div', { class: size.name }, plotSvg(spec, { ...size, seconds, flags })),
          ),
        ),
      ),
    ),
  ]);
}

/** What the lines are; one line alone is named by the caption. */
function key(lines: readonly PlotLine[]): Child {
  const named = lines.filter(
    (line, i) => line.isOneOfMany !== true || lines.findIndex((x) => x.isOneOfMany) === i,
  );
  if (lines.length === 1) return null;
  return element(
    'ul',
    { class: 'key' },
    named.map((one, i) => {
      const { label, tone } = one;
      const dash = { 'stroke-dasharray': dashOf(one, i) };
      const stroke = { stroke: `var(--${tone})`, 'stroke-width': 2.5, ...dash };
      const line = element('line', { x1: 0, y1: 4, x2: 26, y2: 4, ...stroke });
      const box = { viewBox: '0 0 26 8', width: 26, height: 8, 'aria-hidden': 'true' };
      return element('li', {}, element('svg', box, line), label);
    }),
  );
}

export function findingSection({ summary }: RunData): Markup {
  const { findings } = summary;
  if (findings.length === 0) {
    return markup([heading('Findings', 'findings'), paragraph('No rule found anything.')]);
  }
  return markup([
    heading('Findings and their evidence', 'findings'),
    findings.map(({ kind, hop, title, evidence, severity }) => [
      element('h3', {}, hop === null ? kind : `${kind} at ${hop}`),
      element('p', {}, element('span', { class: 'severity' }, severity), title),
      element(
        'dl',
        { class: 'evidence' },
        Object.entries(evidence).map(([name, value]) => [
          element('dt', {}, name),
          element('dd', {}, evidenceText(value)),
        ]),
      ),
    ]),
  ]);
}

function evidenceText(value: Evidence): string {
  if (value === null) return 'not known';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object') return value.map((one) => cellText(one)).join(', ');
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;
}

export function bookSection({ summary, info }: RunData): Markup {
  const { balanced, links, queues, imbalances } = summary;
  const verdict =
    balanced === true
      ? 'The books balance: opened = closed + open on every link, ' +
        'sent = answered + failed + pending.'
      : balanced === false
        ? 'The books do not balance. What does not match is listed below.'
        : 'Whether the books balance cannot be known from this input.';
  const heads = [
    'link',
    'opened',
    'closed',
    'open',
    'requests',
    'requests / new',
    'for one client',
  ];
  return markup([
    heading('Books', 'books'),
    paragraph(verdict),
    table(
      [...heads.map((title) => ({ title })), { title: 'closed by', isText: true }],
      links.map((link) => [
        link.name,
        link.opened,
        link.closed,
        link.open,
        link.exchanges,
        link.requestsPerNewConnection,
        link.multiplication,
        causes(link.closedBy),
      ]),
    ),
    queues.length === 0
      ? null
      : table(
          ['queue', 'slots a host', 'held at most', 'granted', 'yielded', 'zombies'].map(
            (title) => ({ title }),
          ),
          queues.map((queue) => [
            queue.name,
            queue.activeMax,
            queue.heldMax,
            queue.granted,
            queue.yielded,
            queue.zombieExchanges,
          ]),
        ),
    imbalances.length === 0
      ? null
      : table(
          [
            { title: 'what disagrees' },
            { title: 'how many' },
            { title: 'explained' },
            { title: 'on', isText: true },
          ],
          imbalances.map((one) => [
            one.text,
            one.count,
            one.explained ? 'yes' : 'no',
            one.link ?? '',
          ]),
        ),
    kernel(info.kernel),
  ]);
}

function causes(closedBy: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(closedBy)
    .map(([cause, n]) => `${cause.replaceAll('_', ' ')} ${count(n ?? 0)}`)
    .join(', ');
}

function kernel(rows: RunData['info']['kernel']): Child {
  if (rows === null) return null;
  return details(
    "What the kernel's own table said at the end",
    table(
      ['link', 'at the accepting end', 'at the connecting end', 'in a backlog'].map((title) => ({
        title,
      })),
      rows.map((row) => [row.link, row.acceptorRows, row.connectorRows, row.waitingRows]),
    ),
  );
}

export function topologySection({ info }: RunData): Markup {
  const settings = explainSettings(info.topology);
  return markup([
    heading('Topology', 'topology'),
    paragraph('The document of this run: every setting that is not at its default.'),
    code(recordedDocument(info).text),
    details(
      `All ${settings.length} settings, with where each comes from`,
      table(
        [{ title: 'setting' }, { title: 'value', isText: true }, { title: 'from', isText: true }],
        settings.map(({ path, value, source }) => [path, value, source]),
      ),
    ),
  ]);
}

export function reproduceSection({ info, summary }: RunData): Markup {
  const { topology, topologyHash: hash, version, seed, loadEnd, loadStart } = info;
  const same = recordedDocument(info).isSame;
  const { scale, timeScale } = topology.applied;
  const length = Math.round((loadEnd ?? loadStart) - loadStart);
  const shorter = info.engine === 'sim' && length !== topology.duration;
  const duration = shorter ? ` --duration ${formatDuration(length)}` : '';
  const command = `${engineCommand(info)} topology.yaml --seed ${seed}${duration}`;
  const scaled = scale !== 1 || timeScale !== 1;
  return markup([
    heading('How to reproduce', 'reproduce'),
    paragraph('Save the document above as topology.yaml, then:'),
    code(`${command} --record recording\nwaterhammer report recording -o report.html`),
    paragraph(
      info.engine === 'sim'
        ? 'The same seed and version give the same bytes.'
        : 'A live run reproduces its inputs (arrivals, choices, faults) from the seed, not their ' +
            'interleaving: figures will be near these, not equal.',
    ),
    table(
      [{ title: 'what' }, { title: 'value', isText: true }],
      [
        ['engine', info.engine === 'sim' ? 'simulator' : info.engine],
        ['version', version],
        ['seed', String(seed)],
        ['topology', topology.name],
        ['topology hash', same ? `${hash} (the document above has it too)` : hash],
        ['length', `${count(summary.durationSeconds)} s`],
        ...(scaled ? [['scaled by', `${scale} in size, ${timeScale} in time`]] : []),
      ],
    ),
    same
      ? null
      : paragraph(
          'The document above has another hash than the run' +
            (scaled
              ? ', because a factor of scale is part of the hash and not of a document.'
              : '.'),
        ),
  ]);
}
