/** What a timeline entry may say, by its action. `at` and `text` are common to all. */
import type { Action } from '../../model/topology.ts';
import {
  duration,
  integer,
  number,
  optionalText,
  type SettingsFor,
  share,
  text,
} from '../setting.ts';

const GIVEN = 'must be given';

const NAME = (description: string) => text({ description, source: GIVEN });

const LASTS = duration({
  min: 1,
  description: 'How long it lasts.',
  source: GIVEN,
});

const REPLICA = integer({
  min: 0,
  max: 1_000_000,
  default: 0,
  description: 'Number of the host in its group, from 0.',
  source: 'assumption: the first one',
});

type Parameters<A extends Action['action']> = SettingsFor<
  Omit<Extract<Action, { action: A }>, 'action' | 'to'>
>;

export const ACTION_SETTINGS = {
  set: {
    path: NAME('The setting, `<hop>.<setting>`; only some may change while running.'),
  },
  slow: {
    hop: NAME('A database or an app.'),
    factor: number({
      min: 0.001,
      max: 1_000_000,
      description: 'Service times are multiplied by this.',
      source: GIVEN,
    }),
    lasts: LASTS,
  },
  'slow-requests': {
    hop: NAME('An app (or a database).'),
    share: share({ description: 'Share of the requests that begin meanwhile.', source: GIVEN }),
    extra: duration({
      min: 1,
      description: 'How much longer each of them is worked on, whatever its database does.',
      source: GIVEN,
    }),
    lasts: LASTS,
  },
  stall: { hop: NAME('A database or an app; it answers nothing meanwhile.'), lasts: LASTS },
  'replace-nodes': {
    hop: NAME('A gateway.'),
    count: integer({
      min: 1,
      max: 10_000,
      description: 'Nodes that are replaced by new ones; their pools are lost.',
      source: GIVEN,
    }),
  },
  'host-down': { hosts: NAME('A group of hosts.'), replica: REPLICA, lasts: LASTS },
  deregister: { hosts: NAME('A group of hosts.'), replica: REPLICA, lasts: LASTS },
  'reset-connections': {
    hop: NAME('The hop that accepted the connections.'),
    share: share({ description: 'Share of its open connections.', source: GIVEN }),
  },
  'stop-accepting': {
    hop: NAME('The hop that accepts no connections meanwhile (simulated only).'),
    lasts: LASTS,
  },
  'stop-reading': {
    hop: NAME('A group of clients.'),
    share: share({ description: 'Share of its clients.', source: GIVEN }),
    lasts: LASTS,
  },
  kill: { hop: NAME('A hop whose implementation is a real program.'), lasts: LASTS },
  mark: {},
} satisfies { readonly [A in Action['action']]: Parameters<A> };

export const ENTRY_SETTINGS = {
  at: duration({ description: 'Time after the start of the load.', source: GIVEN }),
  text: optionalText({
    default: null,
    lengthMax: 200,
    description: 'What charts and tables should say.',
    source: 'assumption: named by its action',
  }),
};
