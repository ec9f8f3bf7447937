/**
 * All rules, in the order in which their findings are shown. A new rule: its file and a line here.
 */
import type { Finding } from '../model/summary.ts';
import type { FindingInput, Rule } from './input.ts';
import { chartLead } from './rules/chart-lead.ts';
import { connectionPerRequest } from './rules/connection-per-request.ts';
import { firstMover } from './rules/first-mover.ts';
import { invisibleStarvation } from './rules/invisible-starvation.ts';
import { multiplication } from './rules/multiplication.ts';
import { retryAmplification } from './rules/retry-amplification.ts';
import { slotHoarding } from './rules/slot-hoarding.ts';
import { timeoutLadder } from './rules/timeout-ladder.ts';
import { unevenHosts } from './rules/uneven-hosts.ts';

const RULES: readonly Rule[] = [
  slotHoarding,
  invisibleStarvation,
  connectionPerRequest,
  multiplication,
  retryAmplification,
  unevenHosts,
  timeoutLadder,
  firstMover,
  chartLead,
];

const SEVERITIES: readonly Finding['severity'][] = ['critical', 'warning', 'info'];

/** What the run shows, the gravest first. */
export function findAll(input: FindingInput): Finding[] {
  const findings = RULES.flatMap((rule) => rule(input));
  return findings.sort((x, y) => SEVERITIES.indexOf(x.severity) - SEVERITIES.indexOf(y.severity));
}
