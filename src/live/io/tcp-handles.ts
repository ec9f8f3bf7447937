/**
 * Node's TCP handles, the layer under `net.Socket`: the same libuv sockets without streams,
 * events and their queues. On this layer a relayed chunk costs about 4 µs less, and a
 * connection about half (bench/RESULTS.md).
 *
 * It is not a public interface, though unchanged since Node 12: `process.binding` gives it
 * (DEP0111, documentation-only). So its shape is checked once, as the process starts, and where
 * anything is missing, sockets are made with `net` instead.
 * WATERHAMMER_SOCKETS=net asks for that too.
 */

/** A request object of libuv; `oncomplete` is called when it was not done at once. */
export interface Request {
  oncomplete: ((status: number) => void) | null;
  /** What is being written, kept from the garbage collector until it is done. */
  chunk?: Uint8Array | string;
}

export interface TcpHandle {
  /** Called after each read; what happened is in `lastRead`. Takes nothing but a function. */
  onread: (this: TcpHandle) => void;
  /** Whose socket it is; set by us. */
  owner?: unknown;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  /** 0 or a negative error number; the outcome is in `streamState`. */
  writeBuffer(request: Request, buffer: Uint8Array): number;
  writeLatin1String(request: Request, text: string): number;
  shutdown(request: Request): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  getsockname(out: SocketName): number;
  getpeername(out: SocketName): number;
  setNoDelay(on: boolean): number;
  close(callback: () => void): void;
  reset(callback: () => void): number;
}

export interface SocketName {
  address?: string;
  port?: number;
}

type Constructor<T> = new (type?: number) => T;

interface TcpBinding {
  readonly TCP: Constructor<TcpHandle>;
  readonly TCPConnectWrap: Constructor<Request>;
  readonly constants: { readonly SOCKET: number };
}

interface StreamBinding {
  readonly WriteWrap: Constructor<Request>;
  readonly ShutdownWrap: Constructor<Request>;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

const HANDLE_METHODS = [
  'readStart',
  'readStop',
  'useUserBuffer',
  'writeBuffer',
  'writeLatin1String',
  'shutdown',
  'connect',
  'connect6',
  'getsockname',
  'getpeername',
  'setNoDelay',
  'close',
  'reset',
];

const tcp = found('tcp_wrap', isTcp);
const stream = found('stream_wrap', isStream);

/** Whether this process has handles. Without them the functions here throw. */
export const handlesAvailable =
  tcp !== null && stream !== null && process.env.WATERHAMMER_SOCKETS !== 'net';

const state = stream?.streamBaseState ?? new Int32Array(1);
const readIndex = stream?.kReadBytesOrError ?? 0;
const pendingIndex = stream?.kLastWriteWasAsync ?? 0;

/** Of the last read: bytes or a negative error number. */
export function lastRead(): number {
  return state[readIndex] ?? 0;
}

/** The last write was not done at once: its request will complete later. */
export function lastWriteIsPending(): boolean {
  return state[pendingIndex] !== 0;
}

export function newTcpHandle(): TcpHandle {
  const { TCP, constants } = required(tcp);
  return new TCP(constants.SOCKET);
}

export function newConnectRequest(): Request {
  return new (required(tcp).TCPConnectWrap)();
}

export function newWriteRequest(): Request {
  return new (required(stream).WriteWrap)();
}

export function newShutdownRequest(): Request {
  return new (required(stream).ShutdownWrap)();
}

function required<T>(binding: T | null): T {
  if (binding === null) throw new Error('this Node has no TCP handles');
  return binding;
}

function found<T>(name: string, isIt: (value: unknown) => value is T): T | null {
  try {
    const get: unknown = Reflect.get(process, 'binding');
    const value: unknown = typeof get === 'function' ? Reflect.apply(get, process, [name]) : null;
    return isIt(value) ? value : null;
  } catch {
    // This Node has no such binding, or its permission model forbids it.
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isTcp(value: unknown): value is TcpBinding {
  if (!isObject(value) || !isObject(value.constants)) return false;
  if (typeof value.constants.SOCKET !== 'number') return false;
  if (typeof value.TCPConnectWrap !== 'function' || typeof value.TCP !== 'function') return false;
  const { prototype } = value.TCP;
  return HANDLE_METHODS.every((name) => typeof Reflect.get(prototype, name) === 'function');
}

function isStream(value: unknown): value is StreamBinding {
  return (
    isObject(value) &&
    typeof value.WriteWrap === 'function' &&
    typeof value.ShutdownWrap === 'function' &&
    value.streamBaseState instanceof Int32Array &&
    typeof value.kReadBytesOrError === 'number' &&
    typeof value.kLastWriteWasAsync === 'number'
  );
}

/**
 * At an end of file, before our own FIN: was it an RST? Where one waits behind bytes that were
 * not read yet, libuv reads the bytes and then reports an end of file (uv__stream_io, POLLHUP).
 * After a FIN a socket still has a peer, after an RST it has none.
 */
export function wasReset(handle: TcpHandle): boolean {
  return handle.getpeername({}) !== 0;
}

/** A handle that came from elsewhere, when it can do what ours can. */
export function isTcpHandle(value: unknown): value is TcpHandle {
  return (
    isObject(value) &&
    HANDLE_METHODS.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
