/** What the sockets of this process are; decided once, as it starts. */
import type { SocketKind } from '../../model/lab.ts';
import { nativeSockets } from './native-sockets.ts';
import { handlesAvailable } from './tcp-handles.ts';

export const socketKind: SocketKind =
  nativeSockets !== null ? 'native' : handlesAvailable ? 'handle' : 'net';
