/** Objects for the hypervisor's tests. */
import type {Pod} from '../../../../kube/types.ts';
import type {VirtualMachine, Vmi, VmiStatus} from '../types.ts';

/** A VMI `ns/vm1` (uid `abcdef01`) with one NIC on a VLAN, changed as asked. */
export function vmi(
  change: {readonly metadata?: Partial<Vmi['metadata']>; readonly spec?: Partial<Vmi['spec']>; readonly status?: VmiStatus} = {},
): Vmi {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'vm1', namespace: 'ns', uid: 'abcdef01', resourceVersion: '1', ...change.metadata},
    spec: {
      domain: {devices: {interfaces: [{name: 'nic0', macAddress: '52:54:00:AA:BB:01', bridge: {}}]}},
      networks: [{name: 'nic0', multus: {networkName: 'ns/public'}}],
      ...change.spec,
    },
    status: {phase: 'Scheduled', nodeName: 'bm-000', ...change.status},
  };
}

/** A launcher pod of that VMI on a node. */
export function launcher(
  name: string,
  node: string,
  change: {readonly phase?: NonNullable<Pod['status']>['phase']; readonly terminating?: boolean; readonly createdBy?: string} = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'ns',
      labels: {'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': change.createdBy ?? 'abcdef01'},
      ownerReferences: [
        {apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm1', uid: change.createdBy ?? 'abcdef01', controller: true},
      ],
      ...(change.terminating === true ? {deletionTimestamp: '2026-01-01T00:00:00Z'} : {}),
    },
    spec: {nodeName: node},
    status: {phase: change.phase ?? 'Running', podIP: '10.244.0.7'},
  };
}

/** A VM `ns/vm1`. */
export function vm(
  change: {
    readonly runStrategy?: string;
    readonly uid?: string;
    readonly status?: VirtualMachine['status'];
    readonly metadata?: Partial<VirtualMachine['metadata']>;
    readonly template?: VirtualMachine['spec']['template'];
  } = {},
): VirtualMachine {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {name: 'vm1', namespace: 'ns', uid: change.uid ?? 'vm-uid', generation: 1, ...change.metadata},
    spec: {
      runStrategy: change.runStrategy ?? 'RerunOnFailure',
      template: change.template ?? {metadata: {labels: {a: 'b'}, annotations: {c: 'd'}}, spec: {domain: {}}},
    },
    ...(change.status === undefined ? {} : {status: change.status}),
  };
}
