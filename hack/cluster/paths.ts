/** Where things are: the tree, the cache of binaries, and the folder of one cluster. */
import {homedir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The root of the repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** `hack/cluster`. */
export const HERE = join(ROOT, 'hack/cluster');

/** The folder in which builds are kept between clusters and clones. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env.BASALT_CACHE !== undefined && env.BASALT_CACHE !== '' ? resolve(env.BASALT_CACHE) : join(homedir(), '.cache/basalt');
}

/** The files of one cluster. */
export interface ClusterPaths {
  readonly dir: string;
  /** Shell lines for people: how to reach everything. */
  readonly env: string;
  readonly adminKubeconfig: string;
  readonly pki: string;
  readonly log: string;
  readonly run: string;
  /** One JSON file per process that the supervisor keeps up. */
  readonly processes: string;
  readonly state: string;
  readonly clouds: string;
  readonly etcd: string;
  readonly credentials: string;
  readonly images: string;
  /** Sockets, logs and states of real guests. */
  readonly guests: string;
  /** What the pod runner remembers and gives to processes. */
  readonly pods: string;
  readonly upLock: string;
}

/** The files below a cluster's folder. */
export function clusterPaths(dir: string): ClusterPaths {
  return {
    dir,
    env: join(dir, 'env'),
    adminKubeconfig: join(dir, 'admin.kubeconfig'),
    pki: join(dir, 'pki'),
    log: join(dir, 'log'),
    run: join(dir, 'run'),
    processes: join(dir, 'run/processes'),
    state: join(dir, 'state.json'),
    clouds: join(dir, 'clouds.yaml'),
    etcd: join(dir, 'etcd'),
    credentials: join(dir, 'credentials.json'),
    images: join(dir, 'images'),
    guests: join(dir, 'guests'),
    pods: join(dir, 'pods'),
    upLock: join(dir, 'run/up.lock'),
  };
}

/** The programs and dumped manifests of one build. */
export interface BuildPaths {
  readonly dir: string;
  readonly bin: string;
  readonly manifests: string;
}

/** The files below a finished build's folder. */
export function buildPaths(dir: string): BuildPaths {
  return {dir, bin: join(dir, 'bin'), manifests: join(dir, 'manifests')};
}
