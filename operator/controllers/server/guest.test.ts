import {describe, expect, test} from '@jest/globals';
import type {CoreNode, Pod} from '../../../kube/types.ts';
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';
import {viewGuest} from './guest.ts';
import {pendingChanges} from './pending-changes.ts';

const machine = (status: object = {}, template: object = {}): VirtualMachine =>
  ({metadata: {name: 'w'}, spec: {runStrategy: 'RerunOnFailure', template: {spec: template}}, status}) as unknown as VirtualMachine;
const instance = (status: object = {}, meta: object = {}, spec: object = {}): VirtualMachineInstance =>
  ({metadata: {name: 'w', creationTimestamp: 'born', ...meta}, spec, status}) as unknown as VirtualMachineInstance;
const pod = (meta: object = {}, status: object = {phase: 'Running'}): Pod => ({metadata: {name: 'p', ...meta}, status}) as unknown as Pod;

describe('state', () => {
  test.each<[string, VirtualMachine | undefined, VirtualMachineInstance | undefined, string]>([
    ['nothing', undefined, undefined, 'absent'],
    ['a machine only', machine(), undefined, 'absent'],
    ['a machine that has an instance we do not see yet', machine({created: true}), undefined, 'starting'],
    ['pending', machine(), instance({phase: 'Pending'}), 'starting'],
    ['new, without a phase', machine(), instance({}), 'starting'],
    ['running', machine(), instance({phase: 'Running'}), 'running'],
    ['paused', machine(), instance({phase: 'Running', conditions: [{type: 'Paused', status: 'True'}]}), 'paused'],
    ['being deleted', machine(), instance({phase: 'Running'}, {deletionTimestamp: 'x'}), 'stopping'],
    ['succeeded', machine(), instance({phase: 'Succeeded'}, {deletionTimestamp: 'x'}), 'ended'],
    ['failed', machine(), instance({phase: 'Failed'}), 'ended'],
    ['its host is lost', machine(), instance({phase: 'Unknown'}), 'unknown'],
  ])('%s', (_name, vm, vmi, expected) => {
    expect(viewGuest(vm, vmi, []).state).toBe(expected);
  });
});

describe('state on a node that', () => {
  const node = (status: string) => ({metadata: {name: 'n'}, status: {conditions: [{type: 'Ready', status}]}}) as unknown as CoreNode;
  test.each<[string, CoreNode, VirtualMachineInstance | undefined, string]>([
    ['answers', node('True'), instance({phase: 'Running'}), 'running'],
    ['says that it is not well', node('False'), instance({phase: 'Running'}), 'running'],
    ['is silent', node('Unknown'), instance({phase: 'Running'}), 'unknown'],
    ['is silent, on its way out', node('Unknown'), instance({phase: 'Running'}, {deletionTimestamp: 'x'}), 'unknown'],
    ['is silent, ended', node('Unknown'), instance({phase: 'Failed'}), 'ended'],
    ['is silent, gone', node('Unknown'), undefined, 'absent'],
  ])('%s', (_name, seen, vmi, expected) => {
    expect(viewGuest(machine(), vmi, [], seen).state).toBe(expected);
  });
});

describe('why it does not come up', () => {
  test.each<[string, object, object | undefined]>([
    [
      'crashes',
      {printableStatus: 'CrashLoopBackOff', startFailure: {consecutiveFailCount: 3, retryAfterTimestamp: 'then'}},
      {reason: 'CrashLoop', message: 'the guest failed 3 times in a row; next start at then'},
    ],
    ['no container', {printableStatus: 'ErrImagePull'}, {reason: 'ImagePullFailed'}],
    ['no container, again', {printableStatus: 'ImagePullBackOff'}, {reason: 'ImagePullFailed'}],
    [
      'KubeVirt cannot make an instance',
      {conditions: [{type: 'Failure', status: 'True', message: 'no'}]},
      {reason: 'VirtualMachineRefused', message: 'no'},
    ],
    ['a volume is not there yet: the drives say it', {printableStatus: 'ErrorPvcNotFound'}, undefined],
    ['nothing', {printableStatus: 'Starting'}, undefined],
  ])('%s', (_name, status, fault) => {
    const {fault: found} = viewGuest(machine(status), undefined, []);
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(fault);
  });

  const says = (reason: string, message: string) => ({conditions: [{type: 'Synchronized', status: 'False', reason, message}]});
  test.each<[string, object | undefined, string | undefined]>([
    [
      'its host has no room for it',
      {phase: 'Failed', ...says('GuestNotStarted', '20 real guests run; stop one')},
      'GuestNotStarted: 20 real guests run; stop one',
    ],
    [
      'virt-handler fails, and tries again',
      {phase: 'Scheduled', ...says('Synchronizing with the Domain failed.', 'server error: no such file')},
      'Synchronizing with the Domain failed: server error: no such file',
    ],
    ['a message that has the reason', {phase: 'Scheduling', ...says('FailedCreate', 'FailedCreate: quota')}, 'FailedCreate: quota'],
    ['only the phase has a reason', {phase: 'Failed', reason: 'NodeUnresponsive'}, 'NodeUnresponsive'],
    ['a failure that says nothing', {phase: 'Failed', reason: ''}, undefined],
    ['no instance', undefined, undefined],
    ['a guest that runs', {phase: 'Running', ...says('X', 'a device could not be plugged')}, undefined],
    ['synchronised', {phase: 'Scheduled', conditions: [{type: 'Synchronized', status: 'True', message: 'x'}]}, undefined],
  ])('KubeVirt’s words: %s', (_name, vmi, expected) => {
    expect(viewGuest(machine(), vmi === undefined ? undefined : instance(vmi), []).why).toBe(expected);
  });

  test('of endless words there is enough, and an end', () => {
    const {why = ''} = viewGuest(machine(), instance({phase: 'Failed', ...says('X', 'y'.repeat(5000))}), []);
    expect(why).toMatch(/^X: y{765}…$/);
  });

  test.each<[string, object, string | undefined]>([
    [
      'runs without something',
      {phase: 'Running', conditions: [{type: 'AsSpecified', status: 'False', message: 'the guest runs without: EFI'}]},
      'the guest runs without: EFI',
    ],
    ['runs as asked', {phase: 'Running'}, undefined],
    ['does not run', {phase: 'Failed', conditions: [{type: 'AsSpecified', status: 'False', message: 'x'}]}, undefined],
  ])('shortfall of a guest that %s', (_name, vmi, expected) => expect(viewGuest(machine(), instance(vmi), []).shortfall).toBe(expected));

  test('no host: in the scheduler’s words', () => {
    const conditions = [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1'}];
    expect(viewGuest(machine(), instance({phase: 'Scheduling', conditions}), []).unschedulable).toBe('0/1');
    expect(
      viewGuest(machine(), instance({phase: 'Scheduling', conditions: [{...conditions[0], reason: 'SchedulerError'}]}), []),
    ).not.toHaveProperty('unschedulable');
  });
});

describe('eviction', () => {
  test.each<[string, VirtualMachineInstance | undefined, readonly Pod[], boolean]>([
    ['none', instance({phase: 'Running'}), [pod()], false],
    ['KubeVirt wants it off its node', instance({phase: 'Running', evacuationNodeName: 'n'}), [pod()], true],
    [
      'KubeVirt says so in a condition',
      instance({phase: 'Running', conditions: [{type: 'EvictionRequested', status: 'True'}]}),
      [pod()],
      true,
    ],
    [
      'the pod is disrupted',
      instance({phase: 'Running'}),
      [pod({}, {phase: 'Running', conditions: [{type: 'DisruptionTarget', status: 'True'}]})],
      true,
    ],
    ['the pod goes, the instance stays', instance({phase: 'Running'}), [pod({deletionTimestamp: 'x'})], true],
    ['the old pod goes after a migration', instance({phase: 'Running'}), [pod({deletionTimestamp: 'x'}), pod()], false],
    ['both go: it is being stopped', instance({phase: 'Running'}, {deletionTimestamp: 'x'}), [pod({deletionTimestamp: 'x'})], false],
    ['it has ended', instance({phase: 'Succeeded', evacuationNodeName: 'n'}), [], false],
    ['no guest', undefined, [], false],
  ])('%s', (_name, vmi, pods, expected) => {
    expect(viewGuest(machine(), vmi, pods).evicted).toBe(expected);
  });
});

test('facts: node, start, addresses by MAC, migration', () => {
  const status = {
    phase: 'Running',
    nodeName: 'n1',
    phaseTransitionTimestamps: [{phase: 'Running', phaseTransitionTimestamp: 't'}],
    interfaces: [{mac: '52:54:00:AA:00:01', ipAddress: '10.0.0.1'}, {mac: 'x'}],
    migrationState: {completed: false},
    conditions: [{type: 'LiveMigratable', status: 'False', message: 'disk'}],
  };
  const view = viewGuest(machine(), instance(status), []);
  expect(view).toMatchObject({
    nodeName: 'n1',
    startedAt: 't',
    migrating: true,
    migratable: {status: 'False', message: 'disk'},
    agentConnected: {status: 'Unknown'},
  });
  expect([...view.addresses]).toEqual([['52:54:00:aa:00:01', '10.0.0.1']]);
  expect(viewGuest(machine(), instance({...status, migrationState: {completed: true}}), []).migrating).toBe(false);
  expect(viewGuest(machine(), instance({phase: 'Running'}), []).startedAt).toBe('born');
});

describe('pending changes', () => {
  const template = {
    domain: {
      cpu: {sockets: 2},
      memory: {guest: '2Gi'},
      resources: {requests: {cpu: '1500m'}},
      devices: {
        disks: [
          {name: 'ide-0-0', bootOrder: 1, disk: {bus: 'sata'}},
          {name: 'ide-1-0', cdrom: {bus: 'sata'}},
          {name: 'cloudinit', disk: {bus: 'virtio'}},
        ],
        interfaces: [{name: 'nic0', model: 'virtio', macAddress: 'm'}],
      },
    },
    networks: [{name: 'nic0', multus: {networkName: 'a/b'}}],
    volumes: [
      {name: 'ide-0-0', persistentVolumeClaim: {claimName: 'd1'}},
      {name: 'ide-1-0', persistentVolumeClaim: {claimName: 'cd'}},
      {name: 'cloudinit'},
    ],
  };
  const desired = (change: (copy: typeof template) => void): VirtualMachine => {
    const copy = structuredClone(template);
    change(copy);
    return machine({}, copy);
  };
  const now = instance({phase: 'Running'}, {}, {...template, domain: {...template.domain, memory: {guest: '2048Mi'}}});

  test.each<[string, (copy: typeof template) => void, object[]]>([
    ['none; the same memory in other words is none', () => undefined, []],
    ['cores', (copy) => void (copy.domain.cpu.sockets = 4), [{path: 'spec.cpu.cores', current: '2', desired: '4'}]],
    ['memory', (copy) => void (copy.domain.memory.guest = '4Gi'), [{path: 'spec.memoryMiB', current: '2048', desired: '4096'}]],
    ['clock', (copy) => void (copy.domain.resources.requests.cpu = '2'), [{path: 'spec.cpu.mhz', current: '1500m', desired: '2'}]],
    [
      'another drive',
      (copy) => void copy.volumes.splice(0, 1, {name: 'ide-0-0', persistentVolumeClaim: {claimName: 'd9'}}),
      [{path: 'spec.disks', current: 'ide-0-0=d1, ide-1-0=cd (Cdrom)', desired: 'ide-0-0=d9, ide-1-0=cd (Cdrom)'}],
    ],
    [
      'boot order',
      (copy) => copy.domain.devices.disks.slice(0, 2).forEach((disk, index) => Object.assign(disk, {bootOrder: 2 - index})),
      [{path: 'spec.bootOrder', current: 'ide-0-0', desired: 'ide-1-0, ide-0-0'}],
    ],
    [
      'another network',
      (copy) => void copy.networks.splice(0, 1, {name: 'nic0', multus: {networkName: 'c/d'}}),
      [{path: 'spec.nics', current: 'nic0=a/b virtio m', desired: 'nic0=c/d virtio m'}],
    ],
  ])('%s', (_name, change, expected) => {
    expect(pendingChanges(desired(change), now)).toEqual(expected);
  });

  test('none without a guest: the next start takes everything', () => {
    const changed = desired((copy) => void (copy.domain.cpu.sockets = 4));
    expect(pendingChanges(changed, undefined)).toEqual([]);
    expect(pendingChanges(changed, instance({phase: 'Running'}, {deletionTimestamp: 'x'}, template))).toEqual([]);
  });
});
