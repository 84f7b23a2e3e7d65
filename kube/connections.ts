/** Two connection pools per API server: one for calls, one for watches, which must never be cut for being quiet. */
import {Agent, ProxyAgent} from 'undici';
import type {Dispatcher, buildConnector} from 'undici';
import type {Credentials} from './credentials.ts';

/** A pair of pools for one set of certificates. */
export interface Connections {
  readonly unary: Dispatcher;
  readonly watch: Dispatcher;
}

/** Below the 90 s after which kube-apiserver closes an idle connection: a POST must not race with that. */
const KEEP_ALIVE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** Hands out the pools for the present certificates. */
export class ConnectionPools {
  #current: {readonly key: string; readonly connections: Connections} | undefined;
  #closed = false;
  readonly #size: number;

  /** `size`: sockets for calls. */
  constructor(size: number) {
    this.#size = size;
  }

  /** The pools for these credentials; when certificates changed, new ones, and the old close once their calls have ended. Throws after `close`. */
  for(credentials: Credentials): Connections {
    if (this.#closed) throw new Error('this client is closed');
    if (this.#current?.key !== credentials.key) {
      const old = this.#current?.connections;
      this.#current = {
        key: credentials.key,
        connections: {unary: dispatcher(credentials, this.#size), watch: dispatcher(credentials, null)},
      };
      if (old !== undefined) {
        // A failure to close what is thrown away anyway concerns nobody; the new pools are in use already.
        void Promise.allSettled([old.unary.close(), old.watch.close()]);
      }
    }
    return this.#current.connections;
  }

  /** Lets running calls end, cuts watches. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = this.#current?.connections;
    this.#current = undefined;
    if (open !== undefined) await Promise.all([open.unary.close(), open.watch.destroy()]);
  }
}

function dispatcher(credentials: Credentials, connections: number | null): Dispatcher {
  // No timeouts of undici's: each call has its own deadline and each watch its idle limit. h1 beat h2 by 15-30 % for calls, and a
  // watch of its own connection each is not held up by its neighbours.
  const options = {connections, allowH2: false, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS};
  const {shape} = credentials;
  switch (shape.type) {
    case 'agent':
      return new Agent({...options, connect: {timeout: CONNECT_TIMEOUT_MS, ...shape.connect} as buildConnector.BuildOptions});
    case 'none':
      return new Agent({...options, connect: {timeout: CONNECT_TIMEOUT_MS, keepAlive: true}});
    case 'proxy':
      return new ProxyAgent({...options, uri: shape.uri, requestTls: shape.requestTls as buildConnector.BuildOptions});
    case 'socks':
      throw new Error(`kubeconfig: SOCKS proxies are not supported (${shape.uri})`);
  }
}
