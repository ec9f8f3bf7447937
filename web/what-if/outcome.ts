/** What a simulated minute came to. */
import type { Summary } from '../../src/model/summary.ts';

export type Outcome = Pick<Summary, 'clients' | 'queues' | 'links'>;
