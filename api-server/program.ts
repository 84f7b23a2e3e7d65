/** Puts the program together: store, authentication, modules, listeners. main.ts gives it the outside world, tests a fake one. */
import type {KubeClient} from '../kube/client.ts';
import type {Clock} from '../kube/clock.ts';
import type {Logger} from '../kube/log.ts';
import {ensureTokenKey} from './bootstrap.ts';
import {createCloudSigmaModule} from './cloudsigma/index.ts';
import type {Config} from './config.ts';
import {createCratonModule} from './craton/index.ts';
import {createCycladesModules} from './cyclades/index.ts';
import {createApp} from './http/app.ts';
import {createAuthenticator, type AuthLimits} from './http/authenticator.ts';
import {close, listen, type Listener} from './http/listeners.ts';
import type {HttpMetrics} from './http/metrics.ts';
import {createTokenService} from './http/tokens.ts';
import type {ApiModule, ModuleDeps} from './http/types.ts';
import {createIdentityModule} from './identity/index.ts';
import {createNodepoolModule} from './nodepool/index.ts';
import {createStore, type RunningStore} from './store/store.ts';

/** The outside world of the program. */
export interface ProgramOptions {
  readonly config: Config;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  readonly authLimits?: AuthLimits;
}

/** A running program. */
export interface Program {
  readonly store: RunningStore;
  /** All APIs. */
  readonly main: Listener;
  /** CloudSigma at the root. */
  readonly cloudSigma: Listener;
  readonly health: Listener;
  /** Why it is not ready; undefined when it is. */
  readonly notReady: () => string | undefined;
  /** Stops: not ready at once, answers on for the configured delay, lets requests finish. */
  stop(): Promise<void>;
}

/** How long the start may take until the caches are filled; past it the program gives up, and whoever supervises it starts it again. */
const START_DEADLINE_MS = 120_000;

/**
 * Starts everything. Health is answered at once; the APIs only once the caches are filled, so that nobody sees an empty cloud. Resolves
 * when ready; rejects when the cluster cannot be read in two minutes.
 */
export async function startProgram({config, client, clock, log, metrics, authLimits}: ProgramOptions): Promise<Program> {
  const lifetime = new AbortController();
  const hardStop = new AbortController();
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const starting = new AbortController();
  const stopTimer = clock.setTimer(START_DEADLINE_MS, () => starting.abort(new Error(`not ready after ${START_DEADLINE_MS / 1000} s`)));

  const store = createStore({client, clock, log, systemNamespace: config.systemNamespace});
  const notReady = (): string | undefined => {
    if (state === 'stopping') return 'shutting down';
    const unsynced = store.unsynced();
    return unsynced.length > 0 ? `waiting for ${unsynced.join(', ')}` : state === 'starting' ? 'starting' : undefined;
  };

  const listeners: Listener[] = [];
  const common = {ready: notReady, metrics, log};
  try {
    const health = await listen({...common, address: config.metricsListen, serveMetrics: true});
    listeners.push(health);
    const key = await ensureTokenKey({client, namespace: config.systemNamespace, signal: starting.signal});
    store.start(lifetime.signal);
    await store.waitForSync(starting.signal);

    const tokens = createTokenService({key, clock, lifetimeMs: config.tokenHours * 3_600_000});
    const authenticator = createAuthenticator({
      credentials: store.credentials,
      tokens,
      clock,
      record: (scheme, result) => metrics.authenticated(scheme, result),
      ...(authLimits === undefined ? {} : {limits: authLimits}),
    });
    const deps: ModuleDeps = {store, clock, log, config};
    const cloudSigma = createCloudSigmaModule(deps);
    const modules: readonly ApiModule[] = [
      ...createCycladesModules(deps),
      createIdentityModule({authenticator, config}),
      createCratonModule(deps),
      createNodepoolModule(deps),
      cloudSigma,
    ];
    const appDeps = {authenticator, metrics, clock, log, shutdown: hardStop.signal};
    const main = await listen({...common, address: config.listen, app: createApp(modules, {...appDeps, publicUrl: config.publicUrl})});
    listeners.push(main);
    const rootApp = createApp([{...cloudSigma, mounts: ['']}], appDeps);
    const root = await listen({...common, address: config.cloudSigmaListen, app: rootApp});
    listeners.push(root);
    state = 'ready';
    log.info({main: main.url, cloudSigma: root.url, health: health.url}, 'ready');

    return {
      store,
      main,
      cloudSigma: root,
      health,
      notReady,
      async stop() {
        state = 'stopping';
        if (config.shutdownDelaySeconds > 0) await clock.sleep(config.shutdownDelaySeconds * 1000);
        await close(listeners, {clock, abort: () => hardStop.abort()});
        lifetime.abort();
        await client.close();
      },
    };
  } catch (error) {
    lifetime.abort();
    hardStop.abort();
    await close(listeners, {clock, graceMs: 0, abort: () => {}});
    throw error;
  } finally {
    stopTimer();
  }
}
