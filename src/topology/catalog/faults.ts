/**
 * What a random fault may say, by its action: the parameters of the timeline's action, but drawn
 * anew for each event. `faults: stochastic` stands for a list made to the chain's measure, with
 * the rates of the incident's team (facts: 33 events with and 8 without a database spike in 29
 * days); which triggers they had is not known, so all of it is an assumption.
 */
import type { Distribution, FaultKind } from '../../model/topology.ts';
import { formatAmount, parseAmount } from '../distribution.ts';
import type { RawMap } from '../raw.ts';
import { entry, list, text as textOf } from '../raw.ts';
import { distribution, optionalText, type Setting, type Settings, text } from '../setting.ts';
import { ACTION_SETTINGS } from './actions.ts';
import { NAME_HINT, NAME_PATTERN } from './catalog.ts';

const GIVEN = 'must be given';

const LASTS = distribution({ description: 'How long each lasts.', source: GIVEN });

/** A number that is drawn for each event; in the model in millionths, as times are in µs. */
function amount(row: Setting<number>): Setting<Distribution> {
  return {
    description: row.description,
    source: row.source,
    unit: 'none',
    json: {
      type: ['number', 'string', 'object'],
      examples: [8, 'uniform(4, 12)', 'lognormal(median 4, p99 20)'],
    },
    parse: (raw) => {
      const parsed = parseAmount(raw);
      if (!('value' in parsed) || parsed.value.kind !== 'constant') return parsed;
      const constant = row.parse(parsed.value.value / 1e6);
      return 'value' in constant ? parsed : constant;
    },
    format: formatAmount,
    stretch: (value) => value,
    resize: (value) => value,
  };
}

const { slow, stall, kill, deregister } = ACTION_SETTINGS;
const burst = ACTION_SETTINGS['slow-requests'];
const reset = ACTION_SETTINGS['reset-connections'];
const deaf = ACTION_SETTINGS['stop-reading'];
const replace = ACTION_SETTINGS['replace-nodes'];
const EXTRA = distribution({ description: burst.extra.description, source: GIVEN });

export const FAULT_SETTINGS = {
  slow: { hop: slow.hop, factor: amount(slow.factor), lasts: LASTS },
  stall: { hop: stall.hop, lasts: LASTS },
  'slow-requests': { hop: burst.hop, share: amount(burst.share), extra: EXTRA, lasts: LASTS },
  'replace-nodes': { hop: replace.hop, count: amount(replace.count) },
  'host-down': { hosts: ACTION_SETTINGS['host-down'].hosts, lasts: LASTS },
  deregister: { hosts: deregister.hosts, lasts: LASTS },
  'reset-connections': { hop: reset.hop, share: amount(reset.share) },
  'stop-accepting': { hop: ACTION_SETTINGS['stop-accepting'].hop, lasts: LASTS },
  'stop-reading': { hop: deaf.hop, share: amount(deaf.share), lasts: LASTS },
  kill: { hop: kill.hop, lasts: LASTS },
} satisfies Readonly<Record<FaultKind, Settings>>;

/** Common to all. */
export const PROCESS_SETTINGS = {
  name: text({
    default: null,
    derived: 'the action and what it hits',
    pattern: NAME_PATTERN,
    hint: NAME_HINT,
    description: 'Names its random stream, so that others do not shift its times; unique.',
    source: 'assumption: one process for each action and hop',
  }),
  every: distribution({
    description:
      'Time from the beginning of one event (or of the load) to that of the next: ' +
      'exponential(12h) is a Poisson process of two a day.',
    source: GIVEN,
  }),
  text: optionalText({
    default: null,
    lengthMax: 200,
    description: 'What charts and tables should say.',
    source: 'assumption: named by its action',
  }),
};

/** `faults: stochastic`, written out. */
export function stochasticFaults(raw: unknown): RawMap[] {
  const hops = list(entry(raw, 'hops'));
  const ofKind = (kind: string): string[] =>
    hops
      .filter((hop) => entry(hop, 'kind') === kind)
      .map((hop) => textOf(entry(hop, 'name')) ?? '');
  const hosts = list(entry(raw, 'hosts')).map((group) => textOf(entry(group, 'name')) ?? '');
  const seconds = 'lognormal(median 30s, p99 120s)';
  const rest: RawMap[] = [
    ...ofKind('gateway').map((hop) => ({ action: 'replace-nodes', hop, count: 1 })),
    ...ofKind('app').map((hop) => ({
      action: 'slow-requests',
      hop,
      share: 'uniform(0.05, 0.5)',
      extra: 'exponential(2s)',
      lasts: seconds,
    })),
    ...hosts.map((group) => ({ action: 'host-down', hosts: group, lasts: seconds })),
  ];
  const ofDatabases = ofKind('database').map((hop) => ({
    action: 'slow',
    hop,
    factor: 'uniform(4, 12)',
    lasts: seconds,
  }));
  return [
    ...ofDatabases.map((one) => ({ ...one, every: `exponential(${21 * ofDatabases.length}h)` })),
    ...rest.map((one) => ({ ...one, every: `exponential(${87 * rest.length}h)` })),
  ];
}
