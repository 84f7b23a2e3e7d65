import {describe, expect, test} from '@jest/globals';
import type {CoreNode} from '../../../../kube/types.ts';
import {vm, vmi} from '../testing/objects.ts';
import type {Condition, VirtualMachine, Vmi, VmiPhase, VmiSpec} from '../types.ts';
import {createPlacement, fits} from './placement.ts';
import {decideVm, runStrategyOf} from './vm-decide.ts';
import type {VmStep} from './vm-decide.ts';
import {runningVmiOf, vmStatus} from './vm-status.ts';

const NOW = Date.parse('2026-01-01T10:00:00.500Z');
const owner = (uid: string) => ({
  metadata: {ownerReferences: [{apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'vm1', uid, controller: true}]},
});
const child = (phase: VmiPhase, uid = 'vm-uid', conditions: readonly Condition[] = []): Vmi =>
  vmi({...owner(uid), status: {phase, conditions}});
const leaving = {metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}};

describe('decideVm', () => {
  test.each<[string, VirtualMachine | undefined, Vmi | undefined, Partial<VmStep>]>([
    ['new, RerunOnFailure', vm(), undefined, {do: 'create-vmi'}],
    ['new, Halted', vm({runStrategy: 'Halted'}), undefined, {do: 'nothing'}],
    [
      'recorded RerunOnFailure without VMI: the guest switched itself off',
      vm({status: {runStrategy: 'RerunOnFailure'}}),
      undefined,
      {do: 'nothing'},
    ],
    ['Halted recorded, RerunOnFailure asked', vm({status: {runStrategy: 'Halted'}}), undefined, {do: 'create-vmi'}],
    [
      'a start request',
      vm({status: {runStrategy: 'RerunOnFailure', stateChangeRequests: [{action: 'Start'}]}}),
      undefined,
      {do: 'create-vmi'},
    ],
    ['Always', vm({runStrategy: 'Always', status: {runStrategy: 'Always'}}), undefined, {do: 'create-vmi'}],
    ['Manual', vm({runStrategy: 'Manual'}), undefined, {do: 'nothing'}],
    ['Halted with VMI', vm({runStrategy: 'Halted'}), child('Running'), {do: 'delete-vmi'}],
    ['runs', vm(), child('Running'), {do: 'nothing'}],
    ['guest off', vm(), child('Succeeded'), {do: 'delete-vmi', record: {startAgain: false}}],
    ['guest crashed', vm(), child('Failed'), {do: 'delete-vmi', record: {startAgain: true}}],
    ['guest crashed while Halted', vm({runStrategy: 'Halted'}), child('Failed'), {do: 'delete-vmi', record: {startAgain: false}}],
    ['VM being deleted, VMI there', vm(leaving), child('Running'), {do: 'delete-vmi'}],
    ['VM being deleted', vm(leaving), undefined, {do: 'nothing'}],
    ['VM gone', undefined, child('Running'), {do: 'delete-vmi'}],
    ['VM gone, VMI already going', undefined, vmi({metadata: {...owner('vm-uid').metadata, ...leaving.metadata}}), {do: 'nothing'}],
    ['VMI of an earlier VM of the name', vm(), child('Running', 'other'), {do: 'delete-vmi'}],
    ['a VMI that somebody made by hand', undefined, vmi(), {do: 'nothing'}],
    ['a VMI made by hand under the name of a VM', vm(), vmi(), {do: 'nothing'}],
  ])('%s', (_name, machine, instance, step) => {
    expect(decideVm(machine, instance)).toMatchObject(step);
  });

  test('spec.running is the old way to say it', () => {
    const {runStrategy: _none, ...spec} = vm().spec;
    expect(runStrategyOf({...vm(), spec: {...spec, running: true}})).toBe('Always');
    expect(runStrategyOf({...vm(), spec})).toBe('Halted');
  });
});

describe('vmStatus', () => {
  const ready: Condition = {type: 'Ready', status: 'True'};
  test.each<[string, VirtualMachine, Vmi | undefined, string, {created: boolean; ready: boolean}]>([
    ['never started', vm({runStrategy: 'Halted'}), undefined, 'Stopped', {created: false, ready: false}],
    ['starting', vm(), child('Scheduled'), 'Starting', {created: true, ready: false}],
    ['running', vm(), child('Running', 'vm-uid', [ready]), 'Running', {created: true, ready: true}],
    ['paused', vm(), child('Running', 'vm-uid', [ready, {type: 'Paused', status: 'True'}]), 'Paused', {created: true, ready: true}],
    ['stopping', vm({runStrategy: 'Halted'}), child('Running', 'vm-uid', [ready]), 'Stopping', {created: true, ready: true}],
    ['ended', vm(), child('Succeeded', 'vm-uid', [ready]), 'Stopped', {created: true, ready: false}],
    ['off', vm({status: {runStrategy: 'RerunOnFailure'}}), undefined, 'Stopped', {created: false, ready: false}],
  ])('%s', (_name, machine, instance, printableStatus, flags) => {
    expect(vmStatus(machine, instance, {}, NOW)).toMatchObject({printableStatus, ...flags});
  });

  test('no node fits', () => {
    const status = vmStatus(vm(), undefined, {unplaced: '0/4 nodes are available'}, NOW);
    expect(status).toMatchObject({printableStatus: 'ErrorUnschedulable', created: false});
    expect(status).not.toHaveProperty('runStrategy');
    expect(status.conditions).toContainEqual(
      expect.objectContaining({type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/4 nodes are available'}),
    );
  });

  test('records the run strategy from the first start on, also when it is Halted then', () => {
    expect(vmStatus(vm(), child('Running'), {}, NOW).runStrategy).toBe('RerunOnFailure');
    expect(vmStatus(vm({runStrategy: 'Halted', status: {runStrategy: 'RerunOnFailure'}}), undefined, {}, NOW).runStrategy).toBe('Halted');
  });

  test('is the very same object when it says it all already', () => {
    const machine = vm();
    const status = vmStatus(machine, child('Running', 'vm-uid', [ready]), {}, NOW);
    expect(vmStatus({...machine, status}, child('Running', 'vm-uid', [ready]), {}, NOW + 60_000)).toBe(status);
  });

  test('conditions of the VMI appear on the VM and go with it', () => {
    const machine = vm();
    const status = vmStatus(machine, child('Running', 'vm-uid', [ready, {type: 'AgentConnected', status: 'True'}]), {}, NOW);
    expect(status.conditions?.map((condition) => condition.type)).toEqual(['Ready', 'AgentConnected']);
    const after = vmStatus({...machine, status}, undefined, {}, NOW);
    expect(after.conditions).toMatchObject([{type: 'Ready', status: 'False', reason: 'VMINotExists'}]);
  });
});

describe('runningVmiOf', () => {
  const refusing: object = {autoattachPodInterface: false};
  test('runs on its node, and belongs to the VM', () => {
    const made = runningVmiOf(vm({metadata: {generation: 3}}), 'bm-002', NOW);
    expect(made.metadata).toMatchObject({
      name: 'vm1',
      namespace: 'ns',
      labels: {a: 'b', 'kubevirt.io/nodeName': 'bm-002'},
      annotations: {c: 'd', 'kubevirt.io/vm-generation': '3'},
      ownerReferences: [{kind: 'VirtualMachine', uid: 'vm-uid', controller: true, blockOwnerDeletion: true}],
    });
    expect(made.status).toMatchObject({phase: 'Running', nodeName: 'bm-002'});
    expect(made.status?.phaseTransitionTimestamps?.map(({phase}) => phase)).toEqual(['Pending', 'Scheduling', 'Scheduled', 'Running']);
    expect(made.status?.conditions?.map(({type}) => type)).toEqual(expect.arrayContaining(['Ready', 'LiveMigratable', 'AgentConnected']));
  });

  test.each<[string, object, boolean]>([
    ['in the spec', {macAddress: '02:00:00:00:00:01'}, true],
    ['still to be made from the uid', {}, false],
  ])('tells its addresses with a MAC address %s: %s', (_name, mac, told) => {
    const domain = {devices: {interfaces: [{name: 'nic0', bridge: {}, ...mac}]}};
    expect(runningVmiOf(vm({template: {spec: {domain}}}), 'bm-002', NOW).status?.interfaces !== undefined).toBe(told);
  });

  test.each<[string, VmiSpec['domain'], number]>([
    ['no lists: one NIC on the pod network', {}, 1],
    ['refused', {devices: refusing}, 0],
    ['empty list', {devices: {interfaces: []}}, 0],
  ])('network, %s', (_name, domain, count) => {
    const made = runningVmiOf(vm({template: {spec: {domain}}}), 'bm-002', NOW);
    expect(made.spec.domain.devices?.interfaces ?? []).toHaveLength(count);
  });
});

describe('placement', () => {
  const node = (name: string, labels: Record<string, string> = {}, unschedulable = false): CoreNode => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {name, labels},
    spec: {unschedulable},
  });
  const on = (name: string, key: string): Vmi => vmi({metadata: {name: key}, status: {nodeName: name}});

  test.each<[string, CoreNode, Record<string, string>, boolean]>([
    ['no wishes', node('a'), {}, true],
    ['labels as wished', node('a', {region: 'r1', cell: 'c1'}), {region: 'r1'}, true],
    ['another label', node('a', {region: 'r2'}), {region: 'r1'}, false],
    ['cordoned', node('a', {}, true), {}, false],
    ['not for guests', node('a', {'kubevirt.io/schedulable': 'false'}), {}, false],
  ])('%s', (_name, candidate, selector, expected) => {
    expect(fits(candidate, selector)).toBe(expected);
  });

  test('spreads over the least used nodes, and counts what it has just placed', () => {
    const placement = createPlacement({
      nodes: {list: () => [node('b'), node('a'), node('c')]},
      vmis: {list: () => [on('a', 'x')], onChange: () => () => undefined},
    });
    const places = ['1', '2', '3', '4'].map((key) => placement.place(key, {}));
    expect(places).toEqual([{node: 'b'}, {node: 'c'}, {node: 'a'}, {node: 'b'}]);
    placement.release('2');
    expect(placement.place('5', {})).toEqual({node: 'c'});
  });

  test('says why there is none', () => {
    const placement = createPlacement({nodes: {list: () => [node('a')]}, vmis: {list: () => [], onChange: () => () => undefined}});
    expect(placement.place('1', {region: 'r9'})).toEqual({unplaced: expect.stringContaining('0/1 nodes are available')});
  });
});
