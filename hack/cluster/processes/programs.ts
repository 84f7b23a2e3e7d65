/** Command lines of our own programs, run from the working tree under the chart's ServiceAccounts, and of the image server. Pure. */
import {join} from 'node:path';
import {HERE, ROOT} from '../paths.ts';
import {STAGES, type ProcessSpec} from '../supervisor/process-spec.ts';
import type {ProcessContext} from './control-plane.ts';

/** The namespace of the chart. */
export const NAMESPACE = 'basalt-system';

/** ServiceAccounts of the chart; the kubeconfigs in `pki/` have the same names. */
export const OPERATOR_ACCOUNT = 'basalt-operator';
/** See {@link OPERATOR_ACCOUNT}. */
export const API_SERVER_ACCOUNT = 'basalt-api-server';

/** The region in the identity catalogue, and the name of the demo cloud's region. */
export const REGION_NAME = 'default';

/** What a TypeScript program is started with. */
export interface ProgramOptions {
  /** Path of Node. */
  readonly node: string;
  /** A hash of the sources: another one restarts the program. */
  readonly revision: string;
  readonly logLevel: string;
}

/**
 * As in the chart. V8 lets its heap grow to several times what is alive, for throughput; these programs hold caches of thousands of objects
 * and wait for the API server most of the time. With 2,000 servers the operator needs 257 MB in place of 426, and no more CPU. The flags
 * work on the command line only.
 */
const NODE_FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=25'];

/** The operator, electing a leader as in a real installation. */
export function operator({paths: {pki}, settings: {ports}}: ProcessContext, options: ProgramOptions): ProcessSpec {
  return {
    name: 'operator',
    command: options.node,
    stage: STAGES.programs,
    revision: options.revision,
    env: {
      KUBECONFIG: join(pki, `${OPERATOR_ACCOUNT}.kubeconfig`),
      BASALT_NAMESPACE: NAMESPACE,
      BASALT_OPERATOR_PORT: String(ports.operator),
      BASALT_LOG_LEVEL: options.logLevel,
      BASALT_LEADER_ELECT: 'true',
    },
    args: [...NODE_FLAGS, join(ROOT, 'operator/main.ts')],
  };
}

/** The api-server: all APIs on one port, CloudSigma at the root of a second one. */
export function apiServer({paths: {pki}, settings: {ports}}: ProcessContext, options: ProgramOptions): ProcessSpec {
  return {
    name: 'api-server',
    command: options.node,
    stage: STAGES.programs,
    revision: options.revision,
    env: {
      KUBECONFIG: join(pki, `${API_SERVER_ACCOUNT}.kubeconfig`),
      BASALT_NAMESPACE: NAMESPACE,
      BASALT_LISTEN: `127.0.0.1:${ports.api}`,
      BASALT_CLOUDSIGMA_LISTEN: `127.0.0.1:${ports.cloudsigma}`,
      BASALT_METRICS_LISTEN: `127.0.0.1:${ports.apiMetrics}`,
      BASALT_PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
      BASALT_REGION_NAME: REGION_NAME,
      BASALT_LOG_LEVEL: options.logLevel,
    },
    args: [...NODE_FLAGS, join(ROOT, 'api-server/main.ts')],
  };
}

/** Serves the files of `images/` over http on loopback. */
export function imageServer({paths: {images}, settings: {ports}}: ProcessContext, options: ProgramOptions): ProcessSpec {
  return {
    name: 'image-server',
    command: options.node,
    stage: STAGES.nodes,
    revision: options.revision,
    env: {IMAGE_FOLDER: images, IMAGE_LISTEN: `127.0.0.1:${ports.images}`},
    args: [join(HERE, 'image-server/main.ts')],
  };
}
