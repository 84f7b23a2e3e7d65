/** What a Server says of itself: reads like the manual of its conditions, phases, tasks, progress and faults. */
import {describe, expect, test} from '@jest/globals';
import type {Drive, Server, ServerStatus} from '../../../crds/index.ts';
import {CONDITION_TYPES} from '../../../crds/index.ts';
import {failed, no, yes} from './findings.ts';
import type {Findings} from './findings.ts';
import type {GuestView} from './guest.ts';
import {fillFinding} from './phases/drives.ts';
import {isPressing} from './pressing.ts';
import {PLACEMENT_DEADLINE_MS, isEvicted, serverStatus} from './status.ts';
import type {Seen} from './status.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const UNKNOWN = {status: 'Unknown', message: ''} as const;
const guest = (more: Partial<GuestView> = {}): GuestView => ({
  state: 'absent',
  migrating: false,
  migratable: UNKNOWN,
  agentConnected: UNKNOWN,
  evicted: false,
  addresses: new Map(),
  ...more,
});
const RUNNING = guest({state: 'running', phase: 'Running', nodeName: 'node-1', startedAt: '2026-01-01T00:30:00Z'});
const GOOD: Findings = {
  flavor: yes('FlavorResolved', ''),
  image: yes('NoImage', ''),
  drives: yes('DrivesReady', ''),
  networks: yes('NetworksReady', ''),
  bootData: yes('NoBootData', ''),
  quota: yes('NoQuota', ''),
  machine: yes('VirtualMachineSynced', ''),
  resources: {cores: 1, memoryMiB: 512},
  nics: [],
  drivesPercent: 100,
};
const server = (spec: object = {}, status?: ServerStatus): Server =>
  ({
    metadata: {name: 'web', uid: 'u', generation: 4},
    spec: {name: 'web', powerState: 'Running', ...spec},
    ...(status === undefined ? {} : {status}),
  }) as unknown as Server;
/** A server whose first build is over. */
const built = (phase: ServerStatus['phase'], spec: object = {}): Server =>
  server(spec, {...(phase === undefined ? {} : {phase}), progressPercent: 100, history: [{time: 'x', phase: phase ?? 'ACTIVE'}]});
const look = (more: Partial<Seen>): ServerStatus =>
  serverStatus({
    server: server(),
    uuid: 'uuid',
    findings: GOOD,
    guest: guest(),
    hasMachine: true,
    pendingChanges: [],
    evicted: false,
    paused: false,
    complete: true,
    nowMs: NOW,
    ...more,
  });
const condition = (status: ServerStatus, type: string) => status.conditions?.find((candidate) => candidate.type === type);
const STOPPED = {powerState: 'Stopped'};

describe('phase and task', () => {
  test.each<[string, Partial<Seen>, string, string]>([
    ['drives are being filled', {findings: {...GOOD, drives: no('Provisioning', '')}}, 'BUILD', 'BUILDING'],
    ['the guest boots for the first time', {guest: guest({state: 'starting', phase: 'Scheduling'})}, 'BUILD', 'BUILDING'],
    ['the first guest runs', {guest: RUNNING}, 'ACTIVE', ''],
    ['made stopped, and complete', {server: server(STOPPED)}, 'STOPPED', ''],
    [
      'made stopped, but its drive is not filled',
      {server: server(STOPPED), findings: {...GOOD, drives: no('Provisioning', '')}},
      'BUILD',
      'BUILDING',
    ],
    ['running', {server: built('ACTIVE'), guest: RUNNING}, 'ACTIVE', ''],
    ['being stopped', {server: built('ACTIVE', STOPPED), guest: guest({state: 'stopping', phase: 'Running'})}, 'ACTIVE', 'STOPPING'],
    [
      'ended, its instance not gone',
      {server: built('ACTIVE', STOPPED), guest: guest({state: 'ended', phase: 'Succeeded'})},
      'ACTIVE',
      'STOPPING',
    ],
    ['stopped', {server: built('ACTIVE', STOPPED)}, 'STOPPED', ''],
    ['being started', {server: built('STOPPED'), guest: guest({state: 'starting', phase: 'Scheduled'})}, 'STOPPED', 'STARTING'],
    ['started again after a crash', {server: built('ACTIVE'), guest: guest()}, 'ACTIVE', 'STARTING'],
    ['frozen', {server: built('ACTIVE'), guest: {...RUNNING, state: 'paused'}}, 'PAUSED', ''],
    ['rebooting', {server: built('ACTIVE'), guest: RUNNING, operation: 'Reboot'}, 'REBOOT', 'REBOOTING'],
    ['rebooted', {server: built('REBOOT'), guest: RUNNING}, 'ACTIVE', ''],
    ['resized', {server: built('STOPPED', STOPPED), operation: 'Resize'}, 'RESIZE', 'RESIZING'],
    ['its host is lost', {server: built('ACTIVE'), guest: guest({state: 'unknown'})}, 'UNKNOWN', ''],
    [
      'being deleted',
      {server: built('ACTIVE'), guest: RUNNING, deleting: {reason: 'StoppingServer', message: ''}},
      'DELETING',
      'DESTROYING',
    ],
    ['a drive failed', {findings: {...GOOD, drives: failed('DriveFailed', '')}}, 'ERROR', ''],
    [
      'a drive failed, but the guest runs',
      {server: built('ACTIVE'), guest: RUNNING, findings: {...GOOD, drives: failed('DriveFailed', '')}},
      'ACTIVE',
      '',
    ],
    ['KubeVirt refused the machine', {findings: {...GOOD, machine: failed('VirtualMachineRefused', '')}, hasMachine: false}, 'ERROR', ''],
    [
      'the guest crashes again and again',
      {server: built('ACTIVE'), guest: guest({fault: {reason: 'CrashLoop', message: ''}})},
      'ERROR',
      '',
    ],
    [
      'no host, for now',
      {guest: guest({state: 'starting', unschedulable: '0/1 nodes are available: 1 Insufficient memory.'})},
      'BUILD',
      'BUILDING',
    ],
    ['after an error it is what the guest shows', {server: built('ERROR'), guest: RUNNING}, 'ACTIVE', ''],
  ])('%s', (_name, more, phase, task) => {
    const status = look(more);
    expect([status.phase, status.taskState]).toEqual([phase, task]);
  });

  test('no host for too long is an error, with the reasons', () => {
    const lastTransitionTime = new Date(NOW - PLACEMENT_DEADLINE_MS).toISOString();
    const waiting = server(
      {},
      {conditions: [{type: 'Placed', status: 'False', reason: 'NoCapacity', message: '', lastTransitionTime, observedGeneration: 1}]},
    );
    const status = look({
      server: waiting,
      guest: guest({state: 'starting', unschedulable: '0/2 nodes are available: 2 Insufficient cpu.'}),
    });
    expect(status).toMatchObject({
      phase: 'ERROR',
      fault: {reason: 'NoCapacity', message: 'none of 2 hosts fits: 2 not enough CPU', time: '2026-01-01T01:00:00Z'},
    });
  });
});

describe('conditions', () => {
  test('RestartRequired speaks of a guest only when there is one', () => {
    expect(condition(look({guest: RUNNING}), 'RestartRequired')?.message).toBe('the guest runs with the spec as it is');
    expect(condition(look({server: server(STOPPED)}), 'RestartRequired')?.message).toMatch(/^no guest runs/);
  });

  test('a drive that is being deleted is not being prepared', () => {
    const going = {metadata: {name: 'd', deletionTimestamp: 'x'}, status: {phase: 'Deleting'}} as unknown as Drive;
    expect(fillFinding([going])).toMatchObject({status: 'False', reason: 'Deleting', message: 'drive d is being deleted'});
  });

  test('all of the kind, on every pass, whatever was seen', () => {
    const every = [...CONDITION_TYPES.Server].toSorted();
    for (const seen of [{}, {guest: RUNNING}, {deleting: {reason: 'StoppingServer', message: ''}} as const, {paused: true}]) {
      const status = look(seen);
      expect(status.conditions?.map(({type}) => type).toSorted()).toEqual(every);
      for (const {reason, observedGeneration} of status.conditions ?? []) expect([reason === '', observedGeneration]).toEqual([false, 4]);
    }
  });

  test.each<[string, Partial<Seen>, Record<string, string>]>([
    [
      'running as asked',
      {server: built('ACTIVE'), guest: RUNNING, host: 'bm-1'},
      {Ready: 'True Ready', Placed: 'True Placed', Running: 'True Running', PowerStateSynced: 'True Running'},
    ],
    [
      'stopped as asked is ready, too',
      {server: built('STOPPED', STOPPED)},
      {
        Ready: 'True Ready',
        Placed: 'True NotPlaced',
        Running: 'False Stopped',
        PowerStateSynced: 'True Stopped',
        Migratable: 'Unknown NotRunning',
        AgentConnected: 'Unknown NotRunning',
      },
    ],
    [
      'a flavor is missing',
      {findings: {...GOOD, flavor: no('DependencyMissing', '')}, hasMachine: false},
      {Ready: 'False DependencyMissing', FlavorResolved: 'False DependencyMissing', PowerStateSynced: 'Unknown VirtualMachineMissing'},
    ],
    ['no host yet', {guest: guest({state: 'starting'})}, {Ready: 'False Booting', Placed: 'Unknown Scheduling', Running: 'False Starting'}],
    [
      'frozen',
      {server: built('ACTIVE'), guest: {...RUNNING, state: 'paused'}},
      {Running: 'False GuestPaused', PowerStateSynced: 'True Running'},
    ],
    [
      'moving',
      {
        server: built('ACTIVE'),
        guest: {...RUNNING, migrating: true, migratable: {status: 'True', message: ''}, agentConnected: {status: 'True', message: ''}},
      },
      {Migrating: 'True Migrating', Migratable: 'True Migratable', AgentConnected: 'True AgentConnected'},
    ],
    [
      'immovable',
      {server: built('ACTIVE'), guest: {...RUNNING, migratable: {status: 'False', message: 'a local disk'}}},
      {Migratable: 'False NotMigratable', AgentConnected: 'False AgentNotConnected'},
    ],
    [
      'changes wait',
      {server: built('ACTIVE'), guest: RUNNING, pendingChanges: [{path: 'spec.disks', current: 'a', desired: 'b'}]},
      {RestartRequired: 'True RestartRequired', Ready: 'True Ready'},
    ],
    ['its id is another’s', {verdict: {type: 'Ready', status: 'False', reason: 'DuplicateId', message: ''}}, {Ready: 'False DuplicateId'}],
    ['being deleted', {deleting: {reason: 'ReleasingDrives', message: ''}}, {Ready: 'False Deleting', Deleting: 'True ReleasingDrives'}],
    ['paused', {paused: true}, {Paused: 'True Paused'}],
  ])('%s', (_name, more, expected) => {
    const status = look(more);
    expect(Object.fromEntries((status.conditions ?? []).map(({type, status: is, reason}) => [type, `${is} ${reason}`]))).toMatchObject(
      expected,
    );
  });

  test.each<[string, Partial<Seen>, string]>([
    ['built', {server: built('ACTIVE'), guest: guest({state: 'ended', why: 'W'})}, 'Starting the guest is being started; KubeVirt says: W'],
    ['new', {guest: guest({state: 'starting', why: 'W'})}, 'Booting the guest is starting for the first time; KubeVirt says: W'],
    ['not known why', {guest: guest({state: 'starting'})}, 'Booting the guest is starting for the first time'],
  ])('a guest that does not start: KubeVirt’s words, %s', (_name, more, expected) => {
    const found = condition(look(more), 'PowerStateSynced');
    expect(`${found?.reason} ${found?.message}`).toBe(expected);
    expect(condition(look(more), 'Ready')?.message).toBe(`PowerStateSynced: ${found?.message}`);
  });

  const LOOP = {reason: 'CrashLoop', message: 'twice in a row'} as const;
  const told = (message: string): Partial<ServerStatus> => ({
    conditions: [{type: 'PowerStateSynced', status: 'False', reason: 'Booting', message, lastTransitionTime: 'x', observedGeneration: 1}],
  });
  test.each<[string, Partial<ServerStatus>, Partial<GuestView>, string | undefined]>([
    ['the instance says why', {}, {state: 'ended', fault: LOOP, why: 'W'}, 'twice in a row; KubeVirt says: W'],
    [
      'the one before said why, and the machine does not know yet that it is gone',
      told('it starts; KubeVirt says: W'),
      {state: 'starting', fault: LOOP},
      'twice in a row; KubeVirt says: W',
    ],
    ['the one before said why', told('it starts; KubeVirt says: W'), {fault: LOOP}, 'twice in a row; KubeVirt says: W'],
    [
      'the instance said why, and does no more',
      told('it starts; KubeVirt says: W'),
      {state: 'ended', phase: 'Failed', fault: LOOP},
      'twice in a row; KubeVirt says: W',
    ],
    ['nobody ever said why', told('it starts'), {fault: LOOP}, 'twice in a row'],
    [
      'a newer instance is not blamed for it',
      told('it starts; KubeVirt says: W'),
      {state: 'starting', phase: 'Pending', fault: LOOP},
      'twice in a row',
    ],
    [
      'KubeVirt refuses the machine',
      told('it starts; KubeVirt says: W'),
      {fault: {...LOOP, reason: 'VirtualMachineRefused'}},
      'twice in a row',
    ],
  ])('the fault of a guest that fails again and again: %s', (_name, before, more, message) => {
    const status = look({server: server({}, before), guest: guest(more)});
    expect([status.phase, status.fault?.message, condition(status, 'PowerStateSynced')?.message]).toEqual(['ERROR', message, message]);
  });

  test('what the guest runs without is said, and it is ready all the same', () => {
    const status = look({server: built('ACTIVE'), guest: {...RUNNING, shortfall: 'the guest runs without: EFI'}});
    expect(condition(status, 'Running')).toMatchObject({status: 'True', message: 'the guest runs without: EFI'});
    expect(condition(status, 'Ready')).toMatchObject({status: 'True', message: 'the server is usable; the guest runs without: EFI'});
  });

  test('Ready names the part that is missing', () => {
    expect(condition(look({findings: {...GOOD, networks: no('DependencyMissing', 'network a/b does not exist')}}), 'Ready')?.message).toBe(
      'NetworksReady: network a/b does not exist',
    );
  });
});

describe('progress', () => {
  test.each<[string, Partial<Seen>, number]>([
    ['nothing filled', {findings: {...GOOD, drives: no('Provisioning', ''), drivesPercent: 0}}, 0],
    ['half filled', {findings: {...GOOD, drives: no('Provisioning', ''), drivesPercent: 50}}, 37],
    ['filled', {}, 80],
    ['scheduled', {guest: guest({state: 'starting', phase: 'Scheduled'})}, 92],
    ['never back', {server: server({}, {progressPercent: 60}), findings: {...GOOD, drives: no('Provisioning', ''), drivesPercent: 10}}, 60],
    ['the end', {guest: RUNNING}, 100],
    ['for ever after', {server: built('STOPPED'), findings: {...GOOD, drivesPercent: 0}}, 100],
  ])('%s', (_name, more, percent) => {
    expect(look(more).progressPercent).toBe(percent);
  });
});

describe('facts', () => {
  test('host, node, start and address while it runs; none of them but the address when it does not', () => {
    const nics = [{index: 0, network: 'a/b', macAddress: '52:54:00:00:00:01', address: '10.0.0.7'}];
    expect(look({guest: RUNNING, host: 'bm-1', findings: {...GOOD, nics}})).toMatchObject({
      host: 'bm-1',
      nodeName: 'node-1',
      startedAt: '2026-01-01T00:30:00Z',
      ip: '10.0.0.7',
      nics,
    });
    const stopped = look({server: built('ACTIVE', STOPPED), findings: {...GOOD, nics}});
    expect(stopped.ip).toBe('10.0.0.7');
    for (const field of ['host', 'nodeName', 'startedAt', 'fault', 'pendingChanges']) expect(stopped).not.toHaveProperty(field);
  });

  test('an address that only the guest knows is shown', () => {
    const nics = [{index: 0, network: 'a/b', macAddress: '52:54:00:00:00:01'}];
    expect(look({guest: {...RUNNING, addresses: new Map([['52:54:00:00:00:01', '192.168.0.9']])}, findings: {...GOOD, nics}}).ip).toBe(
      '192.168.0.9',
    );
  });

  test('what a failed run did not learn is not forgotten, and its generation is not claimed', () => {
    const before = server({}, {observedGeneration: 3, nics: [{index: 0}], resources: {cores: 9}});
    const {resources: _none, ...findings} = GOOD;
    expect(look({server: before, complete: false, findings: {...findings, networks: no('Pending', '')}})).toMatchObject({
      observedGeneration: 3,
      nics: [{index: 0}],
      resources: {cores: 9},
    });
  });

  test('history: one entry per change of phase, the last ten', () => {
    const history = Array.from({length: 10}, (_, index) => ({
      time: `t${index}`,
      phase: index % 2 === 0 ? ('ACTIVE' as const) : ('STOPPED' as const),
    }));
    const next = look({server: server({}, {progressPercent: 100, history}), guest: RUNNING}).history ?? [];
    expect(next).toHaveLength(10);
    expect(next.at(-1)).toEqual({time: '2026-01-01T01:00:00Z', phase: 'ACTIVE', reason: 'Running'});
    expect(look({server: built('ACTIVE'), guest: RUNNING}).history).toHaveLength(1);
  });

  test('the time of a fault is that of its beginning', () => {
    const fault = {reason: 'DriveFailed', message: 'old words', time: '2025-12-31T00:00:00Z'};
    const findings = {...GOOD, drives: failed('DriveFailed', 'new words')};
    expect(look({server: server({}, {phase: 'ERROR', fault}), findings}).fault).toEqual({...fault, message: 'new words'});
    expect(look({server: server({}, {phase: 'ERROR', fault: {...fault, reason: 'Refused'}}), findings}).fault?.time).toBe(
      '2026-01-01T01:00:00Z',
    );
  });
});

describe('an eviction is remembered until a new guest is there', () => {
  const evicting = look({server: built('ACTIVE'), guest: {...RUNNING, evicted: true}, evicted: true});
  const gone = look({server: built('ACTIVE'), guest: guest(), evicted: true});
  test('in the conditions', () => {
    expect(condition(evicting, 'Ready')?.status).toBe('True');
    expect(condition(gone, 'PowerStateSynced')).toMatchObject({status: 'False', reason: 'Starting'});
  });
  test.each<[string, ServerStatus, GuestView, boolean]>([
    ['seen now', {}, {...RUNNING, evicted: true}, true],
    ['the guest is gone', evicting, guest(), true],
    ['its instance is ending', evicting, guest({state: 'ended', phase: 'Succeeded'}), true],
    ['the machine still says that there is one', evicting, guest({state: 'starting'}), true],
    ['still gone', gone, guest(), true],
    ['a new one starts', gone, guest({state: 'starting', phase: 'Scheduling'}), false],
    ['it runs on, moved', evicting, RUNNING, false],
    ['never evicted', look({server: built('ACTIVE'), guest: RUNNING}), guest(), false],
  ])('%s', (_name, status, now, expected) => {
    expect(isEvicted(server({}, status), now)).toBe(expected);
  });
});

describe('what is written at once', () => {
  const active = look({server: built('ACTIVE'), guest: RUNNING});
  test.each<[string, ServerStatus | undefined, ServerStatus, boolean]>([
    ['the first status of a server that is about to start', undefined, look({}), false],
    ['the first status when a drive is still being filled', undefined, look({findings: {...GOOD, drives: no('Provisioning', '')}}), true],
    [
      'the first status when the machine was refused',
      undefined,
      look({findings: {...GOOD, machine: no('VirtualMachineRefused', '')}}),
      true,
    ],
    ['the first status when it runs already', undefined, look({guest: RUNNING}), true],
    ['the first status of a server that is to be off', undefined, look({server: server(STOPPED)}), true],
    ['nothing changed', active, active, false],
    [
      'a lesser condition',
      active,
      look({server: built('ACTIVE'), guest: {...RUNNING, agentConnected: {status: 'True', message: ''}}}),
      false,
    ],
    ['a task', active, look({server: built('ACTIVE', STOPPED), guest: guest({state: 'stopping'})}), true],
    ['the sign of an eviction', active, look({server: built('ACTIVE'), guest: {...RUNNING, evicted: true}}), true],
    ['changes that wait', active, look({server: built('ACTIVE'), guest: RUNNING, pendingChanges: [{path: 'spec.disks'}]}), true],
    ['a deletion: most are over in a moment', active, look({deleting: {reason: 'StoppingServer', message: ''}}), false],
  ])('%s', (_name, before, after, expected) => {
    expect(isPressing(before, after)).toBe(expected);
  });
});
