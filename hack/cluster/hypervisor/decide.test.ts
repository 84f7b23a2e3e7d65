import {describe, expect, test} from '@jest/globals';
import type {Pod} from '../../../kube/types.ts';
import {decide, hostPodTerminating, podChores} from './decide.ts';
import type {GuestView, Seen} from './decide.ts';
import type {GuestMigration, GuestState} from './guest.ts';
import {launcher, vmi} from './testing/objects.ts';
import type {MigrationState, Vmi} from './types.ts';

const view = (state: GuestState['name'], change: Partial<GuestView> = {}): GuestView => ({
  vmiUid: 'abcdef01',
  state: state === 'ended' ? {name: 'ended', how: 'shutdown', message: 'm'} : {name: state},
  migration: undefined,
  ...change,
});
const seen = (change: Partial<Seen>): Seen => ({
  vmi: vmi(),
  guest: undefined,
  pods: [launcher('p1', 'bm-000')],
  stopping: undefined,
  power: {off: false, lost: false, targetOff: false},
  nowMs: 100_000,
  ...change,
});
const running = (change: Parameters<typeof vmi>[0] = {}): Vmi => vmi({...change, status: {phase: 'Running', ...change.status}});
const deleting = {metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}};
const dying = [launcher('p1', 'bm-000', {terminating: true})];

describe('life of a guest', () => {
  test.each<[string, Partial<Seen>, object]>([
    ['gone and no guest', {vmi: undefined}, {do: 'nothing'}],
    ['gone, guest left', {vmi: undefined, guest: view('running')}, {do: 'forget-guest'}],
    ['guest of an earlier VMI of the name', {guest: view('running', {vmiUid: 'other'})}, {do: 'forget-guest'}],
    ['not handed over', {vmi: vmi({status: {phase: 'Scheduling'}})}, {do: 'nothing'}],
    ['handed over', {}, {do: 'start'}],
    ['handed over, on its way out before it started', {vmi: vmi(deleting)}, {do: 'adopt'}],
    ['handed over, pod dying before it started', {pods: dying}, {do: 'adopt'}],
    ['starting', {guest: view('starting')}, {do: 'nothing'}],
    ['started', {guest: view('running')}, {do: 'report-running'}],
    ['started, and paused at once', {guest: view('paused')}, {do: 'report-running'}],
    ['running', {vmi: running(), guest: view('running')}, {do: 'refresh'}],
    ['running without guest', {vmi: running()}, {do: 'adopt'}],
    ['running without guest, and deleted meanwhile', {vmi: running(deleting)}, {do: 'adopt'}],
    ['guest switched itself off', {vmi: running(), guest: view('ended')}, {do: 'report-end', phase: 'Succeeded'}],
    [
      'guest crashed',
      {vmi: running(), guest: view('ended', {state: {name: 'ended', how: 'crashed', message: ''}})},
      {do: 'report-end', phase: 'Failed'},
    ],
    [
      'guest killed',
      {vmi: running(deleting), guest: view('ended', {state: {name: 'ended', how: 'killed', message: ''}})},
      {do: 'report-end', phase: 'Failed'},
    ],
    ['final with guest', {vmi: vmi({status: {phase: 'Succeeded'}}), guest: view('ended')}, {do: 'forget-guest'}],
    ['final', {vmi: vmi({status: {phase: 'Failed'}})}, {do: 'nothing'}],
  ])('%s', (_name, change, step) => {
    expect(decide(seen(change))).toMatchObject(step);
  });
});

describe('power of the host', () => {
  const off = {off: true, lost: false, targetOff: false};
  test.each<[string, Partial<Seen>, object]>([
    ['takes the guest with it', {vmi: running(), guest: view('running'), power: off}, {do: 'cut-power'}],
    ['takes one that starts with it', {guest: view('starting'), power: off}, {do: 'cut-power'}],
    ['before its own end is told', {vmi: running(), guest: view('ended'), power: off}, {do: 'cut-power'}],
    ['before it is shut down', {vmi: running(deleting), guest: view('running'), power: off}, {do: 'cut-power'}],
    ['nothing is said while it is off', {vmi: running(), power: off}, {do: 'nothing'}],
    ['nothing is started while it is off', {power: off}, {do: 'nothing'}],
    ['back again, without its guest', {vmi: running(), power: {...off, off: false, lost: true}}, {do: 'report-end', phase: 'Failed'}],
    ['handed over before, started now', {power: {...off, off: false, lost: true}}, {do: 'start'}],
    ['a VMI that is gone', {vmi: undefined, guest: view('running'), power: off}, {do: 'forget-guest'}],
  ])('%s', (_name, change, step) => {
    expect(decide(seen(change))).toMatchObject(step);
  });
});

describe('shutting down', () => {
  const leaving = (graceSeconds: number | undefined, stopping: Seen['stopping']): Partial<Seen> => ({
    vmi: running({...deleting, spec: graceSeconds === undefined ? {} : {terminationGracePeriodSeconds: graceSeconds}}),
    guest: view('running'),
    stopping,
  });
  test.each<[string, Partial<Seen>, object]>([
    ['first the button', leaving(30, undefined), {do: 'press-power-button'}],
    ['also for a dying launcher pod', {vmi: running(), guest: view('running'), pods: dying}, {do: 'press-power-button'}],
    ['also while it starts', {vmi: vmi(deleting), guest: view('starting')}, {do: 'press-power-button'}],
    ['then wait until the next press', leaving(30, {sinceMs: 99_000, pressedMs: 99_000}), {do: 'wait', ms: 4_000}],
    ['press again after 5 s', leaving(30, {sinceMs: 95_000, pressedMs: 95_000}), {do: 'press-power-button'}],
    ['wait no longer than the grace', leaving(7, {sinceMs: 95_000, pressedMs: 99_000}), {do: 'wait', ms: 2_000}],
    ['grace over', leaving(7, {sinceMs: 93_000, pressedMs: 98_000}), {do: 'kill'}],
    ['no grace at all', leaving(0, undefined), {do: 'kill'}],
    ['grace shortened on the way', leaving(0, {sinceMs: 99_000, pressedMs: 99_000}), {do: 'kill'}],
    ['the default grace is 30 s: before', leaving(undefined, {sinceMs: 70_001, pressedMs: 99_000}), {do: 'wait', ms: 1}],
    ['the default grace is 30 s: after', leaving(undefined, {sinceMs: 70_000, pressedMs: 99_000}), {do: 'kill'}],
  ])('%s', (_name, change, step) => {
    expect(decide(seen(change))).toMatchObject(step);
  });
});

describe('migration', () => {
  const ask: MigrationState = {migrationUid: 'm1', sourceNode: 'bm-000', sourcePod: 'p1', targetNode: 'bm-001', targetPod: 'p2'};
  const at = (state: GuestMigration['state'] | undefined, change: MigrationState = {}, pods?: readonly Pod[]): Seen =>
    seen({
      vmi: running({status: {migrationState: {...ask, ...change}}}),
      guest: view('running', {migration: state === undefined ? undefined : {uid: 'm1', state, failure: ''}}),
      pods: pods ?? [launcher('p1', 'bm-000'), launcher('p2', 'bm-001')],
    });
  test.each<[string, Seen, object]>([
    ['asked for', at(undefined), {do: 'prepare-migration'}],
    ['asked for, target not named yet', at(undefined, {targetPod: ''}), {do: 'refresh'}],
    ['preparing', at('preparing'), {do: 'nothing'}],
    ['target waits', at('ready'), {do: 'begin-migration'}],
    ['copying', at('copying'), {do: 'nothing'}],
    ['arrived', at('succeeded'), {do: 'report-migration'}],
    ['failed', at('failed'), {do: 'report-migration'}],
    ['cancelled', at('cancelled'), {do: 'report-migration'}],
    ['abort requested', at('copying', {abortRequested: true}), {do: 'cancel-migration'}],
    ['abort requested too late', at('succeeded', {abortRequested: true}), {do: 'report-migration'}],
    [
      'target pod dies',
      at('copying', {}, [launcher('p1', 'bm-000'), launcher('p2', 'bm-001', {terminating: true})]),
      {do: 'cancel-migration'},
    ],
    ['the target host loses its power', {...at('copying'), power: {off: false, lost: false, targetOff: true}}, {do: 'cancel-migration'}],
    ['ended by virt-controller', at('copying', {completed: true, failed: true}), {do: 'forget-migration'}],
    ['reported', at('succeeded', {completed: true}), {do: 'forget-migration'}],
    ['done and forgotten', at(undefined, {completed: true}), {do: 'refresh'}],
    ['the next one is asked for while the last is remembered', at('succeeded', {migrationUid: 'm2'}), {do: 'forget-migration'}],
  ])('%s', (_name, state, step) => {
    expect(decide(state)).toMatchObject(step);
  });

  test('deletion goes before migration', () => {
    const {vmi: moving, ...rest} = at('copying');
    expect(decide({...rest, vmi: {...(moving as Vmi), metadata: {...(moving as Vmi).metadata, ...deleting.metadata}}})).toMatchObject({
      do: 'press-power-button',
    });
  });
});

describe('hostPodTerminating', () => {
  test.each<[string, readonly Pod[], boolean]>([
    ['no pods (light mode)', [], false],
    ['alive', [launcher('p1', 'bm-000')], false],
    ['dying', dying, true],
    [
      'dying on another node: an old source or a cancelled target',
      [launcher('p1', 'bm-000'), launcher('p2', 'bm-001', {terminating: true})],
      false,
    ],
    [
      'an earlier pod of the same node has succeeded and goes',
      [launcher('p1', 'bm-000', {terminating: true, phase: 'Succeeded'}), launcher('p3', 'bm-000')],
      false,
    ],
  ])('%s', (_name, pods, expected) => {
    expect(hostPodTerminating(running(), pods)).toBe(expected);
  });
});

describe('podChores', () => {
  const alive = launcher('p1', 'bm-000');
  const dead = launcher('p1', 'bm-000', {terminating: true});
  const target = launcher('p2', 'bm-001');
  const moved = (failed: boolean, nodeName: string): Vmi =>
    running({
      status: {
        nodeName,
        migrationState: {sourcePod: 'p1', targetPod: 'p2', targetNode: 'bm-001', completed: true, ...(failed ? {failed} : {})},
      },
    });
  const names = (vmiSeen: Vmi | undefined, pods: readonly Pod[]): {remove: string[]; complete: string[]} => {
    const chores = podChores(vmiSeen, pods, (node) => node === 'bm-off');
    return {remove: chores.remove.map((pod) => pod.metadata.name), complete: chores.complete.map((pod) => pod.metadata.name)};
  };
  test.each<[string, Vmi | undefined, readonly Pod[], object]>([
    ['VMI gone: dying pods only', undefined, [dead, target], {remove: ['p1'], complete: []}],
    ['VMI not handed over: dying pods only', vmi({status: {phase: 'Scheduling'}}), [dead], {remove: ['p1'], complete: []}],
    ['running: the dying host pod waits for its guest', running(), [dead], {remove: [], complete: []}],
    ['running: a dying pod elsewhere', running(), [alive, launcher('p2', 'bm-001', {terminating: true})], {remove: ['p2'], complete: []}],
    ['ended: all', vmi({status: {phase: 'Succeeded'}}), [alive, target], {remove: ['p1', 'p2'], complete: []}],
    ['migrated: the source is complete', moved(false, 'bm-001'), [alive, target], {remove: [], complete: ['p1']}],
    [
      'migrated: already complete',
      moved(false, 'bm-001'),
      [launcher('p1', 'bm-000', {phase: 'Succeeded'}), target],
      {remove: [], complete: []},
    ],
    ['migration failed: the target goes', moved(true, 'bm-000'), [alive, target], {remove: ['p2'], complete: []}],
    [
      'nothing ends on a host without power',
      undefined,
      [launcher('p1', 'bm-off', {terminating: true}), dead],
      {remove: ['p1'], complete: []},
    ],
  ])('%s', (_name, vmiSeen, pods, expected) => {
    expect(names(vmiSeen, pods)).toEqual(expected);
  });
});
