/** Command lines of etcd, the Kubernetes control plane and KWOK. Pure; the reasons for the flags are in docs and at the lines. */
import {join} from 'node:path';
import {POD_RANGE, SERVICE_RANGE} from '../network/plan.ts';
import {LABELS} from '../hypervisor/types.ts';
import {HERE, type ClusterPaths} from '../paths.ts';
import type {ClusterSettings} from '../state.ts';
import {STAGES, type ProcessSpec} from '../supervisor/process-spec.ts';

/** What every command line is made from. */
export interface ProcessContext {
  readonly paths: ClusterPaths;
  readonly settings: ClusterSettings;
}

// The defaults (20/30) make every cold start wait 5 s longer for ServiceAccount `default`.
const FAST_CLIENT = ['--kube-api-qps=200', '--kube-api-burst=400'];

/** etcd, without fsync: this data may be lost with the machine, and tests take half the time. */
export function etcd({paths, settings: {bin, ports}}: ProcessContext): ProcessSpec {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    command: join(bin, 'etcd'),
    stage: STAGES.store,
    env: {},
    args: [
      '--name=n0',
      `--data-dir=${paths.etcd}`,
      '--unsafe-no-fsync',
      '--log-level=error',
      '--quota-backend-bytes=4294967296',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=n0=${peer}`,
    ],
  };
}

/** kube-apiserver on loopback. */
export function apiserver({paths: {pki}, settings: {bin, ports, network, tier}}: ProcessContext): ProcessSpec {
  const file = (name: string): string => join(pki, name);
  return {
    name: 'kube-apiserver',
    command: join(bin, 'kube-apiserver'),
    stage: STAGES.apiserver,
    // Its CPU is what limits a local cluster, and a quarter of it went into collecting garbage at Go's default of 100.
    env: {GOGC: '300'},
    args: [
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.apiserver}`,
      // Bound to loopback it would otherwise look for a default route and exit without one. With no reconciler any address will do.
      `--advertise-address=${network.nodeAddress}`,
      '--endpoint-reconciler-type=none',
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      '--allow-privileged=true',
      '--profiling=false',
      `--tls-cert-file=${file('apiserver.crt')}`,
      `--tls-private-key-file=${file('apiserver.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      ...(tier === 'api'
        ? ['--disable-admission-plugins=ServiceAccount'] // no controller-manager, so no ServiceAccount `default` to wait for
        : [
            // virt-api and cdi-apiserver refuse to start without the request-header CA.
            `--requestheader-client-ca-file=${file('front-proxy-ca.crt')}`,
            '--requestheader-allowed-names=front-proxy-client',
            '--requestheader-username-headers=X-Remote-User',
            '--requestheader-group-headers=X-Remote-Group',
            '--requestheader-extra-headers-prefix=X-Remote-Extra-',
            // Straight to the endpoints: nothing answers on a Service address here.
            '--enable-aggregator-routing=true',
            `--proxy-client-cert-file=${file('front-proxy-client.crt')}`,
            `--proxy-client-key-file=${file('front-proxy-client.key')}`,
          ]),
    ],
  };
}

function kubeconfigFlags(pki: string, name: string): string[] {
  const file = join(pki, `${name}.kubeconfig`);
  return [`--kubeconfig=${file}`, `--authentication-kubeconfig=${file}`, `--authorization-kubeconfig=${file}`];
}

/** kube-controller-manager with the host-path provisioner: PVs from the real binder without a CSI driver. */
export function controllerManager({paths: {pki}, settings: {bin, ports}}: ProcessContext): ProcessSpec {
  return {
    name: 'kube-controller-manager',
    command: join(bin, 'kube-controller-manager'),
    stage: STAGES.controllers,
    env: {},
    args: [
      ...kubeconfigFlags(pki, 'kcm'),
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.controllerManager}`,
      '--leader-elect=false',
      '--controllers=*,-nodeipam',
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${join(pki, 'sa.key')}`,
      `--root-ca-file=${join(pki, 'ca.crt')}`,
      `--cluster-signing-cert-file=${join(pki, 'ca.crt')}`,
      `--cluster-signing-key-file=${join(pki, 'ca.key')}`,
      '--enable-hostpath-provisioner=true',
      // The provisioner often loses a write race with CDI and then waits for the next resync, 15 s by default.
      '--pvclaimbinder-sync-period=1s',
      ...FAST_CLIENT,
    ],
  };
}

/** kube-scheduler. */
export function scheduler({paths: {pki}, settings: {bin, ports}}: ProcessContext): ProcessSpec {
  return {
    name: 'kube-scheduler',
    command: join(bin, 'kube-scheduler'),
    stage: STAGES.controllers,
    env: {},
    args: [
      ...kubeconfigFlags(pki, 'sched'),
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.scheduler}`,
      '--leader-elect=false',
      ...FAST_CLIENT,
    ],
  };
}

/** Stages of KWOK, relative to this folder. */
export const KWOK_STAGES = ['stages/nodes.yaml', 'stages/pods.yaml', 'stages/cdi-pods.yaml'] as const;

/** KWOK plays every kubelet: nodes stay Ready, pods run and end. `stagesRevision` is a hash of the stage files. */
export function kwok({paths: {pki}, settings: {bin, ports, network}}: ProcessContext, stagesRevision: string): ProcessSpec {
  return {
    name: 'kwok',
    command: join(bin, 'kwok'),
    stage: STAGES.nodes,
    env: {},
    revision: stagesRevision,
    args: [
      `--kubeconfig=${join(pki, 'kwok.kubeconfig')}`,
      `--config=${KWOK_STAGES.map((file) => join(HERE, file)).join(',')}`,
      // All nodes but those whose power is off (host.ts): their leases run out, and their pods stay as they are.
      '--manage-all-nodes=false',
      `--manage-nodes-with-label-selector=${LABELS.power}!=off`,
      `--cidr=${POD_RANGE}`,
      `--node-ip=${network.nodeAddress}`,
      '--node-lease-duration-seconds=40',
      `--server-address=127.0.0.1:${ports.kwok}`,
    ],
  };
}
