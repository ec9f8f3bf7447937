/** Which driver runs which kind of hop: the one list to touch for a new kind. */

import type { HopKind } from '../../model/topology.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { createApp } from './app.ts';
import { createClients } from './clients.ts';
import { createConnectionQueue } from './connection-queue.ts';
import { createDatabase } from './database.ts';
import { createEdge } from './edge.ts';
import { createGateway } from './gateway.ts';
import { createL4Balancer } from './l4-balancer.ts';
import { createL7Balancer } from './l7-balancer.ts';
import { createWebServer } from './web-server.ts';

type Factory<K extends HopKind> = (
  context: HopContext<Extract<HopContext['hop'], { kind: K }>>,
) => LiveHop;

const factories: { readonly [K in HopKind]: Factory<K> } = {
  clients: createClients,
  edge: createEdge,
  gateway: createGateway,
  'l4-balancer': createL4Balancer,
  'l7-balancer': createL7Balancer,
  'connection-queue': createConnectionQueue,
  'web-server': createWebServer,
  app: createApp,
  database: createDatabase,
};

export function createHop<K extends HopKind>(
  context: HopContext<Extract<HopContext['hop'], { kind: K }>>,
): LiveHop {
  const factory: Factory<K> = factories[context.hop.kind as K];
  return factory(context);
}
