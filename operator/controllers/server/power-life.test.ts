/** Power through the whole operator: stops, starts, restarts, and what guests do by themselves. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {DRIVE, SERVER, SERVER_OPERATION} from '../../../crds/index.ts';
import type {ServerOperation} from '../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {NODE} from '../../../kube/types.ts';
import {VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../kubevirt/types.ts';
import {NS, Scenario, conditionOf} from './testing/scenario.ts';

let world: Scenario;
beforeEach(async () => {
  world = await Scenario.start();
});
afterEach(() => world.stop());

describe('power', () => {
  beforeEach(async () => {
    await world.createDrive('disk');
    await world.createServer('web', {disks: [{slot: 'ide:0:0', drive: 'disk', media: 'Disk'}]});
    await world.server('web', (seen) => conditionOf(seen, 'Ready')?.status === 'True');
  });
  const machine = () => world.operator.server.object(VIRTUAL_MACHINE, {namespace: NS, name: 'web'});

  test('stopped and started again', async () => {
    await world.patch('web', {powerState: 'Stopped'});
    const stopped = await world.serverIs('web', 'STOPPED');
    expect(conditionOf(stopped, 'Ready')).toMatchObject({status: 'True', reason: 'Ready'});
    expect(conditionOf(stopped, 'Running')).toMatchObject({status: 'False', reason: 'Stopped'});
    expect(machine()?.spec.runStrategy).toBe('Halted');
    expect(stopped.status).not.toHaveProperty('startedAt');
    await world.patch('web', {powerState: 'Running'});
    await world.serverIs('web', 'ACTIVE');
    expect(machine()?.spec.runStrategy).toBe('RerunOnFailure');
    expect(world.kubevirt.calls.filter((call) => call.startsWith('start'))).toEqual([]);
  });

  test('stopped and started in one breath is a restart', async () => {
    const before = world.operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    await world.patch('web', {powerState: 'Stopped', powerOffMode: 'Hard'});
    await world.server('web', ({status}) => status?.taskState === 'STOPPING' || status?.phase === 'STOPPED');
    await world.patch('web', {powerState: 'Running'});
    await world.operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await world.serverIs('web', 'ACTIVE');
  });

  test('a guest that ignores the power button is given its time, then switched off', async () => {
    world.kubevirt.habits.set('web', {deaf: true});
    await world.patch('web', {powerState: 'Stopped'});
    await world.serverIs('web', 'ACTIVE', 'STOPPING');
    await world.operator.quiet();
    expect(world.kubevirt.calls).toEqual(['stop web {"gracePeriod":60}']);
    await world.patch('web', {powerOffMode: 'Hard'});
    await world.serverIs('web', 'STOPPED');
    expect(world.kubevirt.calls).toEqual(['stop web {"gracePeriod":60}', 'stop web {"gracePeriod":0}']);
  });

  test('a guest that switches itself off stays off, and the spec says so', async () => {
    world.kubevirt.end('web', 'Succeeded');
    const stopped = await world.serverIs('web', 'STOPPED');
    expect(stopped.spec.powerState).toBe('Stopped');
    await world.operator.quiet();
    expect(machine()?.spec.runStrategy).toBe('Halted');
    expect(world.operator.events.filter(({reason}) => reason === 'GuestStopped')).toHaveLength(1);
    await world.patch('web', {powerState: 'Running'});
    await world.serverIs('web', 'ACTIVE');
  });

  test('a guest that crashes is started again, and the spec stays', async () => {
    const before = world.operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    world.kubevirt.end('web', 'Failed');
    await world.operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await world.serverIs('web', 'ACTIVE');
    await world.operator.quiet();
    expect(world.operator.server.object(SERVER, {namespace: NS, name: 'web'})?.spec.powerState).not.toBe('Stopped');
  });

  test('a guest that is evicted is started again', async () => {
    const before = world.operator.server.object(VIRTUAL_MACHINE_INSTANCE, {namespace: NS, name: 'web'})?.metadata.uid;
    world.kubevirt.stop();
    world.kubevirt.evict('web');
    await world.server('web', (seen) => conditionOf(seen, 'Running')?.message.includes('host wants it gone') === true);
    world.kubevirt.start();
    await world.operator.eventually<KubeObject>(
      VIRTUAL_MACHINE_INSTANCE as ResourceType<KubeObject>,
      'web',
      ({metadata}) => metadata.uid !== before,
      NS,
    );
    await world.serverIs('web', 'ACTIVE');
    expect(world.kubevirt.calls.filter((call) => call.startsWith('start'))).toHaveLength(1);
  });

  test('a guest whose host has gone silent is in an unknown state, until the host answers', async () => {
    const says = (status: 'True' | 'Unknown'): void =>
      void world.operator.server.put(NODE, {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {name: 'node-1'},
        status: {conditions: [{type: 'Ready', status}]},
      });
    says('True');
    says('Unknown');
    const lost = await world.serverIs('web', 'UNKNOWN');
    expect(['Ready', 'Running', 'Migratable'].map((type) => conditionOf(lost, type)?.status)).toEqual(['Unknown', 'Unknown', 'Unknown']);
    expect(lost.status?.host).toBe('node-1');
    says('True');
    await world.serverIs('web', 'ACTIVE');
  });

  test('an ephemeral server goes with its guest', async () => {
    await world.patch('web', {lifecycle: 'Ephemeral'});
    world.kubevirt.end('web', 'Succeeded');
    await world.operator.gone(SERVER, 'web', NS);
    expect(world.operator.server.object(DRIVE, {namespace: NS, name: 'disk'})).toBeDefined();
  });

  const operate = (name: string, spec: Omit<ServerOperation['spec'], 'server'>) =>
    world.create<ServerOperation>(SERVER_OPERATION, {metadata: {name, namespace: NS}, spec: {server: 'web', ...spec}});
  const operationIs = (name: string, phase: string) =>
    world.operator.eventually<ServerOperation>(SERVER_OPERATION, name, ({status}) => status?.phase === phase, NS);

  test.each([
    ['Soft', 'softreboot web {}'],
    ['Hard', 'reset web {}'],
  ] as const)('a %s reboot', async (type, call) => {
    await operate('op', {verb: 'Reboot', reboot: {type}});
    const ended = await operationIs('op', 'Completed');
    expect(world.kubevirt.calls).toEqual([call]);
    expect(ended.status).toMatchObject({reason: 'Rebooted'});
    await world.serverIs('web', 'ACTIVE');
  });

  test('a stop asked for later makes a waiting start idle', async () => {
    await operate('a', {verb: 'Start'});
    await operationIs('a', 'Completed');
    await operate('b', {verb: 'Stop'});
    await operationIs('b', 'Completed');
    await world.serverIs('web', 'STOPPED');
    await operate('c', {verb: 'Reboot'});
    expect((await operationIs('c', 'Failed')).status?.reason).toBe('WrongState');
  });

  test('what waits for a restart is named, and a hard reboot applies it', async () => {
    await world.createDrive('more');
    await world.patch('web', {
      disks: [
        {slot: 'ide:0:0', drive: 'disk', media: 'Disk'},
        {slot: 'ide:0:1', drive: 'more', media: 'Disk'},
      ],
    });
    const changed = await world.server('web', ({status}) => status?.pendingChanges !== undefined);
    expect(changed.status?.pendingChanges).toEqual([{path: 'spec.disks', current: 'ide-0-0=disk', desired: 'ide-0-0=disk, ide-0-1=more'}]);
    expect(conditionOf(changed, 'RestartRequired')?.status).toBe('True');
    await operate('op', {verb: 'Reboot', reboot: {type: 'Hard'}});
    await operationIs('op', 'Completed');
    expect(world.kubevirt.calls).toEqual(['restart web {"gracePeriodSeconds":0}']);
  });
});
