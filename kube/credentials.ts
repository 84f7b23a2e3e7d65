/** Who we are and whom we trust, from a client-node `KubeConfig`: read once in a while, not once per call. */
import type {DispatcherOptions, KubeConfig} from '@kubernetes/client-node';
import type {AgentOptions, RequestOptions} from 'node:https';
import type {Clock} from './clock.ts';
import type {PooledKubeConfig} from './pooled-kube-config.ts';

/** What a connection and a request need. */
export interface Credentials {
  /** Scheme, host and port. */
  readonly origin: string;
  /** A path before every path, as some proxies have; else `''`. */
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How to connect; `none` for plain HTTP and for TLS with the machine's own trust store. */
  readonly shape: DispatcherOptions;
  /** Changes exactly when connections have to be made anew (certificates, trust, proxy). */
  readonly key: string;
}

/** Gives the credentials of now. */
export interface CredentialSource {
  /** Read again from the KubeConfig after 10 s (which itself keeps tokens for up to 60 s). Callers that come at the same time share one read. */
  get(): Promise<Credentials>;
  /** Forgets what is cached, on this level and inside client-node: after a 401. */
  reload(): void;
}

/** Upstream reads the certificate files synchronously, so not at every call; rotation has minutes of overlap. */
const FRESH_MS = 10_000;

/** See {@link CredentialSource}. `get` rejects with an error that names the cause when the kubeconfig has no current cluster or cannot be read. */
export function createCredentialSource(kubeConfig: KubeConfig, clock: Clock): CredentialSource {
  let config = kubeConfig;
  let cached: {readonly atMs: number; readonly value: Promise<Credentials>} | undefined;
  return {
    get() {
      if (cached !== undefined && clock.monotonicMs() - cached.atMs < FRESH_MS) return cached.value;
      const value = read(config);
      const entry = {atMs: clock.monotonicMs(), value};
      cached = entry;
      value.catch(() => {
        if (cached === entry) cached = undefined; // a failed read is not kept; whoever waits gets the error
      });
      return value;
    },
    reload() {
      (kubeConfig as Partial<PooledKubeConfig>).reload?.();
      // Upstream's authenticators hold tokens privately; a copy has fresh ones. Made without importing the class: it costs 78 MB.
      const {clusters, users, contexts, currentContext} = kubeConfig;
      config = new (kubeConfig.constructor as new () => KubeConfig)();
      config.loadFromOptions({clusters, users, contexts, currentContext});
      cached = undefined;
    },
  };
}

async function read(config: KubeConfig): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig has no current context with a cluster');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const {ca, cert, key, pfx, passphrase, rejectUnauthorized, servername} = options;
  const shape = config.createDispatcherOptions(cluster, {ca, cert, key, pfx, passphrase, rejectUnauthorized, servername} as AgentOptions);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
  if (typeof options.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const url = new URL(cluster.server);
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    headers,
    shape,
    key: JSON.stringify([url.origin, shape.type, cluster.proxyUrl, rejectUnauthorized, servername, ...[ca, cert, key, pfx].map(String)]),
  };
}
