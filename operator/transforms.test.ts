import {describe, expect, test} from '@jest/globals';
import type {Pod} from '../kube/types.ts';
import {podIndexes} from './indexes.ts';
import {requestsOf} from './controllers/host/status.ts';
import {metadata, nodeOf, podOf} from './testing/objects.ts';
import type {VirtualMachineInstance} from './kubevirt/types.ts';
import {hashSecret, trimClaim, trimInstance, trimNode, trimPod} from './transforms.ts';

/** A launcher as KubeVirt makes it, bulk included. */
const launcher: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata('virt-launcher-s1-x', {
    namespace: 'acct-demo',
    labels: {'kubevirt.io': 'virt-launcher'},
    annotations: {'kubevirt.io/domain': 's1', 'post.hook.backup.velero.io/command': 'x'.repeat(200)},
    ownerReferences: [{apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 's1', uid: 'u', controller: true}],
  }),
  spec: {
    nodeName: 'bm-0',
    containers: [
      {
        name: 'compute',
        image: 'virt-launcher',
        command: ['x'.repeat(1000)],
        resources: {requests: {cpu: '100m', memory: '300Mi'}, limits: {cpu: '1'}},
      },
      {name: 'guest-console-log', resources: {requests: {cpu: '5m', memory: '35M'}}},
    ],
    volumes: [{name: 'x'}],
    nodeSelector: {'kubevirt.io/schedulable': 'true'},
  },
  status: {
    phase: 'Pending',
    podIP: '10.0.0.1',
    conditions: [
      {type: 'Initialized', status: 'True'},
      {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes are available'},
    ],
    containerStatuses: [
      {name: 'compute', state: {waiting: {reason: 'ImagePullBackOff'}}},
      {name: 'guest-console-log', state: {running: {}}},
    ],
  },
};

describe('a launcher pod', () => {
  const trimmed = trimPod(launcher);
  test('keeps what host and server read', () => {
    expect(podIndexes['node']?.(trimmed)).toEqual(['bm-0']);
    expect(podIndexes['server']?.(trimmed)).toEqual(['acct-demo/s1']);
    expect(requestsOf(trimmed)).toEqual(requestsOf(launcher));
    expect(trimmed.status).toEqual({
      phase: 'Pending',
      conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes are available'}],
      containerStatuses: [{name: 'compute', state: {waiting: {reason: 'ImagePullBackOff'}}}],
    });
  });
  test('loses the bulk', () => {
    expect(JSON.stringify(trimmed).length).toBeLessThan(JSON.stringify(launcher).length / 2);
    expect(trimmed.metadata).not.toHaveProperty('annotations');
  });
  test('survives without spec or status', () => {
    const {apiVersion, kind, metadata: meta} = podOf('p', 'n', {});
    expect(trimPod({apiVersion, kind, metadata: meta})).toEqual({apiVersion, kind, metadata: meta});
  });
});

test('a node loses images and heartbeat times, and keeps what a host reads', () => {
  const node = nodeOf('n', {
    spec: {unschedulable: true, podCIDR: '10.1.0.0/24'},
    status: {conditions: [{type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z'}], nodeInfo: {kernelVersion: '6'}},
  });
  expect(trimNode(node)).toEqual({
    ...node,
    spec: {unschedulable: true},
    status: {
      capacity: node.status?.capacity,
      allocatable: node.status?.allocatable,
      addresses: node.status?.addresses,
      conditions: [{type: 'Ready', status: 'True'}],
    },
  });
});

test('a Secret keeps the hash of each value, of the bytes and not of their base64', () => {
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: metadata('s'), data: {a: Buffer.from('abc').toString('base64')}};
  expect(hashSecret(secret).data).toEqual({a: 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'});
});

test('a claim keeps the annotations of CDI and ours', () => {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata('c', {
      annotations: {'cdi.kubevirt.io/storage.pod.phase': 'Running', 'volume.kubernetes.io/selected-node': 'n', 'basalt.dev/x': 'y'},
    }),
  };
  expect(trimClaim(claim).metadata.annotations).toEqual({'cdi.kubevirt.io/storage.pod.phase': 'Running', 'basalt.dev/x': 'y'});
});

test('a guest keeps what its restart diff and its status are read from', () => {
  const instance = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: metadata('s', {namespace: 'acct-demo'}),
    spec: {
      domain: {
        cpu: {sockets: 2},
        memory: {guest: '1Gi'},
        devices: {interfaces: []},
        clock: {utc: {}},
        firmware: {uuid: 'u'},
        machine: {type: 'q35'},
      },
      networks: [],
      volumes: [],
      terminationGracePeriodSeconds: 300,
    },
    status: {
      phase: 'Running',
      nodeName: 'n',
      interfaces: [],
      migrationState: {},
      guestOSInfo: {id: 'debian'},
      topologyHints: {},
      volumeStatus: [],
    },
  } as unknown as VirtualMachineInstance;
  expect(trimInstance(instance)).toEqual({
    ...instance,
    spec: {
      domain: {cpu: {sockets: 2}, memory: {guest: '1Gi'}, devices: {interfaces: []}},
      networks: [],
      volumes: [],
      terminationGracePeriodSeconds: 300,
    },
    status: {phase: 'Running', nodeName: 'n', interfaces: [], migrationState: {}},
  });
  const {spec: _spec, status: _status, ...bare} = instance;
  expect(trimInstance(bare as VirtualMachineInstance)).toEqual(bare);
});
