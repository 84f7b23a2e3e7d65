import {beforeEach, describe, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock} from '../../../../kube/testing/fake-clock.ts';
import {vmi} from '../testing/objects.ts';
import type {Vmi} from '../types.ts';
import {Hotplug} from './hotplug.ts';
import type {HotplugParts} from './hotplug.ts';
import {planMachine} from './machine.ts';
import {fakeInstance} from './testing.ts';
import type {FakeInstance} from './testing.ts';

const FILE = {file: '/pv/disk.img', format: 'raw', readOnly: false} as const;
const machine = (media: readonly string[]): Vmi =>
  vmi({
    spec: {
      domain: {devices: {disks: [{name: 'cd', cdrom: {bus: 'scsi'}}] as never, interfaces: []}},
      networks: [],
      volumes: media.map((name) => ({name})),
    },
    status: {volumeStatus: media.map((name) => ({name, hotplugVolume: {attachPodUID: 'p'}})) as never},
  });
const {plan} = planMachine(machine([]), new Map());

let clock: FakeClock;
let instance: FakeInstance;
let told: string[];
/** Block nodes that the scripted qemu has. */
let nodes: Set<string>;
let refused: string | undefined;

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  nodes = new Set();
  refused = undefined;
  instance = fakeInstance('bm-000', plan, (command, args) => {
    const node = String(args['node-name']);
    if (command === refused) throw new Error(`${command} is refused`);
    if (command === 'blockdev-add' && nodes.has(node)) throw new Error(`Duplicate nodes with node-name='${node}'`);
    if (command === 'blockdev-add') nodes.add(node);
    if (command === 'blockdev-del') nodes.delete(node);
    return undefined;
  });
});

const hotplugWith = (changes: Partial<HotplugParts> = {}): Hotplug =>
  new Hotplug({
    instance: () => instance,
    findFile: () => Promise.resolve(FILE),
    attach: () => Promise.reject(new Error('no networks')),
    onChange: () => undefined,
    onFailure: (message) => told.push(message),
    clock,
    log: silentLogger,
    ...changes,
  });
const times = (command: string): number => instance.commands.filter((each) => each === command).length;

describe('a medium that cannot be inserted', () => {
  test.each(['blockdev-open-tray', 'blockdev-insert-medium', 'blockdev-close-tray'])(
    '%s: it is taken back, and comes later',
    async (command) => {
      const hotplug = hotplugWith();
      refused = command;
      hotplug.observe(machine(['cd']));
      await clock.advanceAndSettle(11_000); // tried again twice
      expect([hotplug.failures, told]).toEqual([[`insert cd: ${command} is refused`], [`insert cd: ${command} is refused`]]);
      expect([...nodes]).toEqual([]);
      refused = undefined;
      await clock.advanceAndSettle(5_000);
      expect([hotplug.failures, [...nodes]]).toEqual([[], ['drive-cd']]);
      expect(instance.plan.disks.find(({name}) => name === 'cd')?.file).toBe(FILE.file);
    },
  );
});

test('however often a change fails and is looked at, it is tried again once per interval', async () => {
  const hotplug = hotplugWith();
  refused = 'blockdev-add';
  for (let look = 0; look < 5; look++) {
    hotplug.observe(machine(['cd']));
    await clock.advanceAndSettle(10);
  }
  expect(clock.pending).toBe(1);
  const before = times('blockdev-add');
  await clock.advanceAndSettle(20_000);
  expect(times('blockdev-add') - before).toBe(4);
  hotplug.stop();
  expect(clock.pending).toBe(0);
});

test('what goes wrong around the changes does not end them', async () => {
  let broken = true;
  const hotplug = hotplugWith({
    onChange: () => {
      if (broken) throw new Error('nobody takes it');
    },
  });
  hotplug.observe(machine(['cd']));
  await clock.advanceAndSettle(10);
  expect([...nodes]).toEqual(['drive-cd']);
  broken = false;
  hotplug.observe(machine([]));
  await clock.advanceAndSettle(10);
  expect([...nodes]).toEqual([]);
});

test('a VMI that cannot be read is looked at again', async () => {
  const hotplug = hotplugWith();
  hotplug.observe({metadata: {name: 'broken'}} as Vmi);
  await clock.advanceAndSettle(10);
  expect(clock.pending).toBe(1);
  hotplug.observe(machine(['cd']));
  await clock.advanceAndSettle(10);
  expect([[...nodes], clock.pending]).toEqual([['drive-cd'], 0]);
});
