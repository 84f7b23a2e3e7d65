/** Command lines of KubeVirt's and CDI's own programs, run as host processes, and of the hypervisor that plays virt-handler. Pure. */
import {join} from 'node:path';
import {podPrefix} from '../network/plan.ts';
import {HERE} from '../paths.ts';
import {PROCESS_IMAGES} from '../podrunner/programs.ts';
import {STAGES, type ProcessSpec} from '../supervisor/process-spec.ts';
import type {ProcessContext} from './control-plane.ts';

/** KubeVirt's API server: webhooks and the subresources (start, stop, console …). */
export function virtApi({paths: {pki}, settings: {bin, network}}: ProcessContext): ProcessSpec {
  const file = (name: string): string => join(pki, name);
  return {
    name: 'virt-api',
    command: join(bin, 'virt-api'),
    stage: STAGES.virtualization,
    stopTimeoutMs: 1_000, // it would wait 5 s for requests that nobody sends any more
    env: {},
    args: [
      `--kubeconfig=${file('kubevirt-apiserver.kubeconfig')}`,
      `--listen=${network.virtApi.address}`,
      `--port=${network.virtApi.port}`,
      `--tls-cert-file=${file('virt-api.crt')}`,
      `--tls-key-file=${file('virt-api.key')}`,
      `--handler-cert-file=${file('handler-client.crt')}`,
      `--handler-key-file=${file('handler-client.key')}`,
      `--console-server-port=${network.handler.port}`,
    ],
  };
}

/** KubeVirt's controllers. The images are names only: no pod of theirs is more than a record here. */
export function virtController({paths: {pki}, settings: {bin, ports}}: ProcessContext, kubevirtVersion: string): ProcessSpec {
  return {
    name: 'virt-controller',
    command: join(bin, 'virt-controller'),
    stage: STAGES.virtualization,
    env: {},
    args: [
      `--kubeconfig=${join(pki, 'kubevirt-controller.kubeconfig')}`,
      '--listen=127.0.0.1',
      `--port=${ports.virtController}`,
      `--launcher-image=local/virt-launcher:${kubevirtVersion}`,
      `--exporter-image=local/virt-exportserver:${kubevirtVersion}`,
      `--prom-cert-file=${join(pki, 'controller-metrics.crt')}`,
      `--prom-key-file=${join(pki, 'controller-metrics.key')}`,
    ],
  };
}

/** CDI's webhooks and its upload token API. */
export function cdiApiserver({paths: {pki}, settings: {bin, network}}: ProcessContext): ProcessSpec {
  return {
    name: 'cdi-apiserver',
    command: join(bin, 'cdi-apiserver'),
    stage: STAGES.virtualization,
    env: {
      KUBECONFIG: join(pki, 'cdi-apiserver.kubeconfig'),
      LISTEN_ADDRESS: network.cdiApi.address,
      LISTEN_PORT: String(network.cdiApi.port),
      CERT_FILE: join(pki, 'cdi-api.crt'),
      KEY_FILE: join(pki, 'cdi-api.key'),
      POD_NAMESPACE: 'cdi',
    },
    args: ['-v=1'],
  };
}

/**
 * CDI's controllers. It reads the flag `-kubeconfig` as well as the variable. The images decide who runs its workers: the pod runner, or
 * KWOK, which plays them.
 */
export function cdiController({paths: {pki, run}, settings: {bin, ports, network, slot, guests}}: ProcessContext): ProcessSpec {
  const workers = guests === 'qemu' ? PROCESS_IMAGES : 'local/';
  const kubeconfig = join(pki, 'cdi-sa.kubeconfig');
  return {
    name: 'cdi-controller',
    command: join(bin, 'cdi-controller'),
    stage: STAGES.virtualization,
    env: {
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: 'cdi',
      IMPORTER_IMAGE: `${workers}cdi-importer`,
      CLONER_IMAGE: `${workers}cdi-cloner`,
      UPLOADSERVER_IMAGE: `${workers}cdi-uploadserver`,
      UPLOADPROXY_SERVICE: 'cdi-uploadproxy',
      OVIRT_POPULATOR_IMAGE: 'local/none',
      UPLOAD_SERVER_KEY_FILE: join(pki, 'uploadserver.key'),
      UPLOAD_SERVER_CERT_FILE: join(pki, 'uploadserver.crt'),
      UPLOAD_CLIENT_KEY_FILE: join(pki, 'uploadclient.key'),
      UPLOAD_CLIENT_CERT_FILE: join(pki, 'uploadclient.crt'),
      METRICS_ADDRESS: `127.0.0.1:${ports.cdiController}`,
      TOKEN_KEY_DIR: join(pki, 'cdi-token'),
      READY_FILE: join(run, 'cdi-ready'),
      // Only workers that really run have addresses from here.
      WORKER_ADDRESS_PREFIX: podPrefix(network, slot),
    },
    args: [`-kubeconfig=${kubeconfig}`, '-v=1'],
  };
}

/** Our stand-in for virt-handler on every fake host; light, it also writes what KubeVirt's and CDI's controllers would. */
export function hypervisor(
  {paths, settings: {light, network, ports, guests, canBoot, slot}}: ProcessContext,
  node: string,
  revision: string,
  logLevel: string,
): ProcessSpec {
  const file = (name: string): string => join(paths.pki, name);
  return {
    name: 'hypervisor',
    command: node,
    stage: STAGES.hypervisor,
    revision,
    env: {
      KUBECONFIG: file('kubevirt-controller.kubeconfig'),
      HYPERVISOR_ADMIN_KUBECONFIG: paths.adminKubeconfig,
      HYPERVISOR_LISTEN: `${network.handler.address}:${network.handler.port}`,
      HYPERVISOR_TLS_CERT: file('handler-server.crt'),
      HYPERVISOR_TLS_KEY: file('handler-server.key'),
      HYPERVISOR_TLS_CA: file('ca.crt'),
      HYPERVISOR_METRICS_LISTEN: `127.0.0.1:${ports.hypervisorMetrics}`,
      HYPERVISOR_LIGHT: String(light),
      GUESTS: guests,
      HYPERVISOR_CLUSTER_DIR: paths.dir,
      HYPERVISOR_SLOT: String(slot),
      HYPERVISOR_NETWORK: network.mode,
      ...(guests === 'qemu' || canBoot ? {HYPERVISOR_GUESTS_DIR: paths.guests, HYPERVISOR_IMAGES_DIR: paths.images} : {}),
      BASALT_LOG_LEVEL: logLevel,
    },
    args: [join(HERE, 'hypervisor/main.ts')],
  };
}

/** Runs pods whose images name programs of this machine as processes: CDI's workers. */
export function podRunner(
  {paths, settings: {bin, ports, network, slot}}: ProcessContext,
  node: string,
  revision: string,
  logLevel: string,
): ProcessSpec {
  return {
    name: 'podrunner',
    command: node,
    stage: STAGES.hypervisor,
    revision,
    env: {
      KUBECONFIG: paths.adminKubeconfig,
      PODRUNNER_FOLDER: paths.pods,
      PODRUNNER_LOGS: join(paths.log, 'pods'),
      PODRUNNER_BIN: bin,
      PODRUNNER_ADDRESSES: podPrefix(network, slot),
      PODRUNNER_HOST_ADDRESS: network.nodeAddress,
      PODRUNNER_PROXY_PORT: String(ports.podProxy),
      BASALT_LOG_LEVEL: logLevel,
    },
    args: [join(HERE, 'podrunner/main.ts')],
  };
}
