/**
 * A stand-in for client-node's `KubeConfig` towards a plain-HTTP server. Importing the real one costs half a second and 78 MB in every test
 * file; the transport asks only for these few members.
 */
import type {KubeConfig} from '@kubernetes/client-node';
import type {RequestOptions} from 'node:https';

interface Entry {
  readonly name: string;
  readonly server?: string;
  readonly token?: string;
}
interface Settings {
  clusters: Entry[];
  users: Entry[];
  contexts: Entry[];
  currentContext: string;
}

class FakeKubeConfig implements Settings {
  clusters: Entry[] = [];
  users: Entry[] = [];
  contexts: Entry[] = [];
  currentContext = 'fake';

  loadFromOptions({clusters, users, contexts, currentContext}: Settings): void {
    Object.assign(this, {clusters, users, contexts, currentContext});
  }

  getCurrentCluster(): Entry | null {
    return this.clusters[0] ?? null;
  }

  getCurrentUser(): Entry | null {
    return this.users[0] ?? null;
  }

  applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    const token = this.users[0]?.token;
    if (token !== undefined) options.headers = {Authorization: `Bearer ${token}`};
    return Promise.resolve();
  }

  createDispatcherOptions(): {type: 'none'} {
    return {type: 'none'};
  }
}

/** Towards `server` (`http://…`). Give its user a `token` to have it sent. */
export function fakeKubeConfig(server: string): KubeConfig {
  const config = new FakeKubeConfig();
  config.loadFromOptions({clusters: [{name: 'fake', server}], users: [{name: 'test'}], contexts: [{name: 'fake'}], currentContext: 'fake'});
  return config as unknown as KubeConfig;
}
