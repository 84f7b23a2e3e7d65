/** `KubeConfig` of client-node without its handshake storm: where upstream builds a new TLS agent per call, this one keeps a pool. */
import {KubeConfig} from '@kubernetes/client-node';
import type {RequestContext} from '@kubernetes/client-node';
import type {AgentOptions, RequestOptions} from 'node:https';
import {Agent} from 'undici';
import type {buildConnector} from 'undici';

/** Sockets per API server for what still goes through client-node. */
const CONNECTIONS = 32;

/** See the top of this file. Only what must go through client-node needs it; everything else uses `createClient`. */
export class PooledKubeConfig extends KubeConfig {
  #pool: {readonly key: string; readonly agent: Agent} | undefined;
  #path: string | undefined;

  /** Reads a kubeconfig file and remembers where it was, for {@link reload}. */
  loadFromPath(path: string): void {
    this.#path = path;
    this.loadFromFile(path);
  }

  /** Reads the file again, if there is one: its inline certificates or token may have been renewed. */
  reload(): void {
    if (this.#path !== undefined) this.loadFromFile(this.#path);
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context); // headers and token refresh stay upstream's business
    const options: RequestOptions = {};
    await this.applyToHTTPSOptions(options);
    const {ca, cert, key, rejectUnauthorized, servername} = options;
    const shape = this.createDispatcherOptions(this.getCurrentCluster(), {ca, cert, key, rejectUnauthorized, servername} as AgentOptions);
    if (shape.type !== 'agent') return; // proxy, socks, plain: keep upstream's dispatcher
    const id = JSON.stringify([ca, cert, key].map(String));
    if (this.#pool?.key !== id) {
      const old = this.#pool; // first use, or the certificates were rotated
      this.#pool = {
        key: id,
        agent: new Agent({connect: {...shape.connect} as buildConnector.BuildOptions, connections: CONNECTIONS, allowH2: false}),
      };
      void old?.agent.close(); // lets running calls finish
    }
    context.setDispatcher(this.#pool.agent);
  }
}

/**
 * Loads how to reach the cluster: the kubeconfig at `path` when there is one, else the ServiceAccount of the pod this runs in. Throws an
 * error that says what is missing when there is neither (`inCluster: false` forbids the second).
 */
export function loadKubeConfig(options: {readonly path?: string | undefined; readonly inCluster?: boolean} = {}): PooledKubeConfig {
  const config = new PooledKubeConfig();
  if (options.path !== undefined && options.path !== '') {
    config.loadFromPath(options.path);
    if (config.getCurrentCluster() === null) throw new Error(`${options.path}: no current context with a cluster`);
    return config;
  }
  if (options.inCluster === false) throw new Error('no kubeconfig given');
  config.loadFromCluster();
  if (config.getCurrentCluster()?.server.includes('undefined') !== false) {
    throw new Error('no kubeconfig given, and this is not a pod (KUBERNETES_SERVICE_HOST is unset)');
  }
  return config;
}
