/**
 * Retry amplification: failures make clients and relays send more, which makes more failures.
 * Fires when clients needed at least 1.2 attempts for each success and retried at least a
 * twentieth of their requests.
 */
import { hopsOf, percent, type Rule, round } from '../input.ts';

const ATTEMPTS_PER_SUCCESS_MIN = 1.2;
const RETRIED_SHARE_MIN = 0.05;

export const retryAmplification: Rule = ({ topology, summary }) =>
  summary.clients.flatMap((group) => {
    const settings = hopsOf(topology, 'clients').find((one) => one.name === group.name);
    const { sent, retries } = group.requests;
    const attempts = group.attemptsPerSuccess;
    if (settings === undefined || attempts === null || sent === 0) return [];
    if (attempts < ATTEMPTS_PER_SUCCESS_MIN || retries / sent < RETRIED_SHARE_MIN) return [];
    return [
      {
        kind: 'retry-amplification',
        hop: group.name,
        severity: 'warning',
        title:
          `"${group.name}" made ${round(attempts)} attempts for each success: ` +
          `${retries} retries (${percent(retries / sent)} of its requests) came on top of the ` +
          `load.`,
        evidence: {
          attemptsPerSuccess: round(attempts),
          retries,
          sent,
          attemptsMax: settings.retry.attemptsMax,
          budget: settings.retry.budget,
        },
        remedy:
          `Give retries a budget (${group.name}.retry.budget: 0.1) and longer, jittered ` +
          `pauses; let a 429 say when to come back.`,
      },
    ];
  });
