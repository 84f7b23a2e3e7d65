import {describe, expect, test} from '@jest/globals';
import type {GuestFacts} from './guest.ts';
import {
  endedPatch,
  migrationFailedPatch,
  migrationStartedPatch,
  migrationSucceededPatch,
  pausedPatch,
  refreshPatch,
  runningPatch,
} from './status.ts';
import {vmi} from './testing/objects.ts';
import type {Condition, Vmi} from './types.ts';

const NOW = Date.parse('2026-01-01T10:00:00.750Z');
const now = '2026-01-01T10:00:00Z';
const os = {name: 'Debian GNU/Linux', id: 'debian'};
const withAgent: GuestFacts = {
  machineType: 'pc-q35-7.2',
  agent: {
    version: '10',
    hostname: 'h',
    os,
    interfaces: new Map([['52:54:00:aa:bb:01', {interfaceName: 'eth0', addresses: ['192.0.2.9', 'fe80::1']}]]),
    users: [],
    fileSystems: [],
  },
};
const withoutAgent: GuestFacts = {machineType: 'pc-q35-7.2'};
const types = (conditions: unknown): Record<string, string> =>
  Object.fromEntries((conditions as Condition[]).map((condition) => [condition.type, condition.status]));
const merged = (object: Vmi, patch: {readonly status: object} | undefined): Vmi => ({
  ...object,
  status: {...object.status, ...patch?.status},
});

describe('runningPatch', () => {
  const scheduled = vmi({
    metadata: {annotations: {'basalt.dev/nic-addresses': '{"nic0":"198.51.100.5"}'}},
    status: {
      conditions: [{type: 'PodScheduled', status: 'True'}],
      phaseTransitionTimestamps: [{phase: 'Scheduled', phaseTransitionTimestamp: now}],
    },
  });

  test('says all that virt-controller and virt-api wait for', () => {
    const {status} = runningPatch(scheduled, withAgent, '10.244.0.7', NOW);
    expect(status).toMatchObject({
      phase: 'Running',
      selinuxContext: 'none',
      migrationMethod: 'LiveMigration',
      machine: {type: 'pc-q35-7.2'},
      guestOSInfo: os,
    });
    expect(status['phaseTransitionTimestamps']).toEqual([
      {phase: 'Scheduled', phaseTransitionTimestamp: now},
      {phase: 'Running', phaseTransitionTimestamp: now},
    ]);
    expect(types(status['conditions'])).toEqual({
      PodScheduled: 'True',
      Ready: 'True',
      LiveMigratable: 'True',
      StorageLiveMigratable: 'True',
      AgentConnected: 'True',
    });
  });

  test('no time has a fraction of a second', () => {
    expect(JSON.stringify(runningPatch(scheduled, withAgent, undefined, NOW))).not.toMatch(/\d\.\d+Z/);
  });

  test('the leased address comes first, those that the agent sees follow', () => {
    expect(runningPatch(scheduled, withAgent, '10.244.0.7', NOW).status['interfaces']).toEqual([
      {
        name: 'nic0',
        mac: '52:54:00:aa:bb:01',
        ipAddress: '198.51.100.5',
        ipAddresses: ['198.51.100.5', '192.0.2.9', 'fe80::1'],
        interfaceName: 'eth0',
        infoSource: 'domain, guest-agent',
        queueCount: 1,
      },
    ]);
  });

  test('without an agent there is neither AgentConnected nor an operating system', () => {
    const {status} = runningPatch(scheduled, withoutAgent, undefined, NOW);
    expect(types(status['conditions'])).not.toHaveProperty('AgentConnected');
    expect(status).not.toHaveProperty('guestOSInfo');
    expect(status['interfaces']).toEqual([
      {
        name: 'nic0',
        mac: '52:54:00:aa:bb:01',
        ipAddress: '198.51.100.5',
        ipAddresses: ['198.51.100.5'],
        infoSource: 'domain',
        queueCount: 1,
      },
    ]);
  });

  test('a NIC on the pod network without a lease has the pod address; the MAC comes from the uid', () => {
    const pod = vmi({spec: {domain: {devices: {interfaces: [{name: 'default', masquerade: {}}]}}, networks: [{name: 'default', pod: {}}]}});
    expect(runningPatch(pod, withoutAgent, '10.244.0.7', NOW).status['interfaces']).toMatchObject([
      {name: 'default', mac: '52:54:00:ab:cd:00', ipAddress: '10.244.0.7'},
    ]);
  });

  test.each([
    ['not JSON', 'nonsense'],
    ['a list', '["198.51.100.5"]'],
    ['a number as address', '{"nic0": 5}'],
  ])('an annotation that is %s counts as no lease', (_name, text) => {
    const broken = vmi({metadata: {annotations: {'basalt.dev/nic-addresses': text}}});
    expect(runningPatch(broken, withoutAgent, '10.244.0.7', NOW).status['interfaces']).toEqual([
      {name: 'nic0', mac: '52:54:00:aa:bb:01', infoSource: 'domain', queueCount: 1},
    ]);
  });
});

describe('migratability', () => {
  const verdict = (object: Vmi, type: string): Condition | undefined =>
    (runningPatch(object, withoutAgent, undefined, NOW).status['conditions'] as Condition[]).find((one) => one.type === type);

  test('one claim that is not ReadWriteMany: not live-migratable, its storage is', () => {
    const object = vmi({
      status: {
        volumeStatus: [
          {name: 'block-0', persistentVolumeClaimInfo: {accessModes: ['ReadWriteOnce']}},
          {name: 'block-1', persistentVolumeClaimInfo: {accessModes: ['ReadWriteMany']}},
          {name: 'cloudinit'},
        ],
      },
    });
    expect(verdict(object, 'LiveMigratable')).toMatchObject({
      status: 'False',
      reason: 'DisksNotLiveMigratable',
      message: expect.stringContaining('block-0 is not shared'),
    });
    expect(verdict(object, 'StorageLiveMigratable')).toMatchObject({status: 'True'});
  });

  test.each([
    ['refused', {}, 'False'],
    ['allowed by the annotation', {'kubevirt.io/allow-pod-bridge-network-live-migration': ''}, 'True'],
  ])('a bridge on the pod network: %s', (_name, annotations, status) => {
    const object = vmi({metadata: {annotations}, spec: {networks: [{name: 'nic0', pod: {}}]}});
    expect(verdict(object, 'LiveMigratable')?.status).toBe(status);
  });
});

describe('refreshPatch', () => {
  const running = merged(vmi({status: {phase: 'Running'}}), runningPatch(vmi(), withoutAgent, undefined, NOW));

  test('writes nothing when the status says it all', () => {
    expect(refreshPatch(running, {facts: withoutAgent, paused: false}, undefined, NOW + 60_000)).toBeUndefined();
  });

  test('and converges: a second look after any refresh writes nothing', () => {
    const seen = merged(running, refreshPatch(running, {facts: withAgent, paused: true}, undefined, NOW));
    expect(types(seen.status?.conditions)).toMatchObject({AgentConnected: 'True', Paused: 'True'});
    expect(refreshPatch(seen, {facts: withAgent, paused: true}, undefined, NOW + 5_000)).toBeUndefined();
  });

  test('leaves alone what virt-controller adds to an interface', () => {
    const interfaces = [{...running.status?.interfaces?.[0], name: 'nic0', podInterfaceName: 'net1', infoSource: 'multus-status, domain'}];
    expect(refreshPatch(merged(running, {status: {interfaces}}), {facts: withoutAgent, paused: false}, undefined, NOW)).toBeUndefined();
    const patch = refreshPatch(merged(running, {status: {interfaces}}), {facts: withAgent, paused: false}, undefined, NOW);
    expect(patch?.status['interfaces']).toMatchObject([{podInterfaceName: 'net1', infoSource: 'domain, guest-agent, multus-status'}]);
  });

  test('never touches Ready, which follows the launcher pod', () => {
    const notReady = merged(running, {
      status: {conditions: [...(running.status?.conditions ?? []).filter((one) => one.type !== 'Ready'), {type: 'Ready', status: 'False'}]},
    });
    expect(refreshPatch(notReady, {facts: withoutAgent, paused: false}, undefined, NOW)).toBeUndefined();
  });
});

test('a guest that its disk has stopped was not paused by a user', () => {
  const stopped = {facts: {machineType: 'q35'}, paused: true, diskError: 'disk vda could not be written: no room'};
  const seen = merged(vmi({status: {phase: 'Running'}}), refreshPatch(vmi({status: {phase: 'Running'}}), stopped, undefined, NOW));
  expect(seen.status?.conditions?.find(({type}) => type === 'Paused')).toMatchObject({
    status: 'True',
    reason: 'PausedIOError',
    message: 'VMI was paused: disk vda could not be written: no room',
  });
  expect(refreshPatch(seen, stopped, undefined, NOW + 1_000)).toBeUndefined();
});

test('pausedPatch sets, removes and keeps quiet', () => {
  const object = vmi({status: {phase: 'Running', conditions: [{type: 'Ready', status: 'True'}]}});
  const paused = merged(object, pausedPatch(object, true, NOW));
  expect(paused.status?.conditions).toEqual([
    {type: 'Ready', status: 'True', lastProbeTime: now, lastTransitionTime: now},
    {
      type: 'Paused',
      status: 'True',
      reason: 'PausedByUser',
      message: 'VMI was paused by user',
      lastProbeTime: now,
      lastTransitionTime: now,
    },
  ]);
  expect(pausedPatch(paused, true, NOW)).toBeUndefined();
  expect(pausedPatch(paused, false, NOW)?.status).toEqual({
    conditions: [{type: 'Ready', status: 'True', lastProbeTime: now, lastTransitionTime: now}],
  });
  expect(pausedPatch(object, false, NOW)).toBeUndefined();
});

test('endedPatch says why a guest failed, and keeps what others say', () => {
  const failure = {reason: 'GuestNotStarted', message: 'no room'};
  const others = {type: 'Ready', status: 'True', lastTransitionTime: 'before', lastProbeTime: 'before'} as const;
  const patch = endedPatch(vmi({status: {phase: 'Running', conditions: [others]}}), failure, NOW);
  expect(patch.status).toMatchObject({
    phase: 'Failed',
    conditions: [others, {type: 'Synchronized', status: 'False', ...failure}],
  });
});

test('endedPatch appends to the phase history', () => {
  expect(endedPatch(vmi(), undefined, NOW)).toEqual({
    status: {phase: 'Succeeded', phaseTransitionTimestamps: [{phase: 'Succeeded', phaseTransitionTimestamp: now}]},
  });
});

describe('migration', () => {
  const move = {migrationUid: 'm1', targetNode: 'bm-001', targetPod: 'p2'};

  test('start names the target and keeps a start that was already written', () => {
    const restarted = vmi({status: {migrationState: {...move, startTimestamp: '2026-01-01T09:00:00Z'}}});
    expect(migrationStartedPatch(vmi({status: {migrationState: move}}), '10.245.0.20', NOW).status).toEqual({
      migrationState: {
        targetNodeAddress: '10.245.0.20',
        targetDirectMigrationNodePorts: {'49152': 49152},
        startTimestamp: now,
        mode: 'PreCopy',
      },
    });
    expect(migrationStartedPatch(restarted, 'x', NOW).status).toMatchObject({migrationState: {startTimestamp: '2026-01-01T09:00:00Z'}});
  });

  test('success moves label and node in the same patch as the end, and clears the eviction', () => {
    expect(migrationSucceededPatch(vmi({status: {migrationState: {...move, startTimestamp: now}}}), 'bm-001', NOW)).toMatchObject({
      metadata: {
        labels: {'kubevirt.io/nodeName': 'bm-001', 'kubevirt.io/migrationTargetNodeName': null},
        annotations: {'kubevirt.io/eviction-source': null},
      },
      status: {
        nodeName: 'bm-001',
        evacuationNodeName: null,
        migrationState: {targetNodeDomainDetected: true, targetNodeDomainReadyTimestamp: now, endTimestamp: now, completed: true},
      },
    });
  });

  test.each([
    ['a failure', {cancelled: false, message: 'no route'}, true, undefined],
    ['an abort that was asked for', {cancelled: true, message: 'aborted'}, true, 'Succeeded'],
    ['a cancel nobody asked for', {cancelled: true, message: 'aborted'}, false, undefined],
  ])('%s leaves the node alone', (_name, why, abortRequested, abortStatus) => {
    const patch = migrationFailedPatch(vmi({status: {migrationState: {...move, abortRequested}}}), why, NOW);
    expect(patch.status).not.toHaveProperty('nodeName');
    expect(patch.status['migrationState']).toEqual({
      startTimestamp: now,
      endTimestamp: now,
      completed: true,
      failed: true,
      failureReason: why.message,
      ...(abortStatus === undefined ? {} : {abortStatus}),
    });
  });
});
