/** Objects for unit tests, as small as their kinds allow. */
import type {Account, Cell, Flavor, Host, Network, Region} from '../../crds/index.ts';
import type {ObjectMeta} from '../../kube/objects.ts';
import type {CoreNode, Pod} from '../../kube/types.ts';

const apiVersion = 'basalt.dev/v1alpha1';

/** Metadata with what a server fills in; `more` wins. */
export const metadata = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  uid: uidOf(name),
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

/** A uid derived from a name, so that tests can write it down. */
export const uidOf = (name: string): string => `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padEnd(12, '0').slice(0, 12)}`;

export const regionOf = (name: string, spec: Partial<Region['spec']> = {}, meta: Partial<ObjectMeta> = {}): Region => ({
  apiVersion,
  kind: 'Region',
  metadata: metadata(name, meta),
  spec: {name, ...spec},
});

export const cellOf = (name: string, region: string, meta: Partial<ObjectMeta> = {}): Cell => ({
  apiVersion,
  kind: 'Cell',
  metadata: metadata(name, meta),
  spec: {name, region},
});

export const hostOf = (name: string, spec: Partial<Host['spec']> = {}, more: Partial<Host> = {}): Host => ({
  apiVersion,
  kind: 'Host',
  metadata: metadata(name),
  spec: {hostname: name, region: 'r', ...spec},
  ...more,
});

export const accountOf = (name: string, spec: Partial<Account['spec']> = {}): Account => ({
  apiVersion,
  kind: 'Account',
  metadata: metadata(name),
  spec: {email: `${name}@example.org`, ...spec},
});

export const flavorOf = (name: string, spec: Partial<Flavor['spec']> = {}): Flavor => ({
  apiVersion,
  kind: 'Flavor',
  metadata: metadata(name),
  spec: {name, vcpus: 2, memoryMiB: 512, diskGiB: 4, ...spec} as Flavor['spec'],
});

export const networkOf = (name: string, spec: Partial<Network['spec']> = {}, more: Partial<Network> = {}): Network => ({
  apiVersion,
  kind: 'Network',
  metadata: metadata(name, {namespace: 'basalt-system'}),
  spec: {name, type: 'Public', ...spec} as Network['spec'],
  ...more,
});

/** A healthy node: 8 cores, 16 GiB, KVM, and KubeVirt's label. */
export const nodeOf = (
  name: string,
  more: {readonly meta?: Partial<ObjectMeta>; readonly spec?: CoreNode['spec']; readonly status?: CoreNode['status']} = {},
): CoreNode => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: metadata(name, {labels: {'kubernetes.io/hostname': name, 'kubevirt.io/schedulable': 'true'}, ...more.meta}),
  spec: more.spec ?? {},
  status: {
    capacity: {cpu: '8', memory: '16Gi', 'devices.kubevirt.io/kvm': '1k'},
    allocatable: {cpu: '7500m', memory: '15Gi', 'devices.kubevirt.io/kvm': '1k'},
    addresses: [{type: 'InternalIP', address: '10.0.0.1'}],
    conditions: [{type: 'Ready', status: 'True'}],
    ...more.status,
  },
});

/** A launcher pod on a node. */
export const podOf = (
  name: string,
  nodeName: string,
  requests: Readonly<Record<string, string>>,
  phase: 'Running' | 'Succeeded' = 'Running',
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(name, {namespace: 'acct-demo', labels: {'kubevirt.io': 'virt-launcher'}}),
  spec: {nodeName, containers: [{name: 'compute', resources: {requests}}, {name: 'console'}]},
  status: {phase},
});
