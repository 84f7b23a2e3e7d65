import {describe, expect, test} from '@jest/globals';
import {vmi} from '../testing/objects.ts';
import type {VmiStatus} from '../types.ts';
import {deviceFacts, deviceSteps, nameOfStep} from './device-steps.ts';
import {planMachine} from './machine.ts';
import type {MachinePlan} from './machine.ts';
import {freePort, portArguments, portOptions, withPorts} from './ports.ts';

const FILE = {file: '/pv/disk.img', format: 'raw', readOnly: false} as const;
const ROOT = {name: 'root', disk: {bus: 'virtio'}};
const CD = {name: 'cd', cdrom: {bus: 'scsi'}};
const MORE = {name: 'more', disk: {bus: 'virtio'}};
const nic = (name: string, state?: string) => ({
  name,
  macAddress: '52:54:00:00:00:01',
  bridge: {},
  ...(state === undefined ? {} : {state}),
});

function machine(disks: readonly object[], nics: readonly object[], volumes: readonly string[], hot: readonly string[] = []) {
  const volumeStatus = hot.map((name) => ({name, hotplugVolume: {attachPodUID: 'p'}})) as VmiStatus['volumeStatus'];
  return vmi({
    spec: {
      domain: {devices: {disks: disks as never, interfaces: nics as never}},
      networks: [],
      volumes: volumes.map((name) => ({name})),
    },
    status: volumeStatus === undefined ? {} : {volumeStatus},
  });
}
const BEGAN = planMachine(machine([ROOT, CD], [nic('a'), nic('b')], ['root']), new Map([['root', FILE]])).plan;
const withFile = (name: string): MachinePlan => ({
  ...BEGAN,
  disks: [...BEGAN.disks.filter((disk) => disk.name !== name), {...BEGAN.disks[0], kind: name === 'cd' ? 'cdrom' : 'disk', name} as never],
});

describe('what to change about a running guest', () => {
  const both = [nic('a'), nic('b')];
  test.each<[string, ReturnType<typeof machine>, MachinePlan, readonly string[]]>([
    ['nothing', machine([ROOT, CD], both, ['root']), BEGAN, []],
    ['a volume that is not on the node yet', machine([ROOT, CD, MORE], both, ['root', 'more']), BEGAN, []],
    ['a volume that is', machine([ROOT, CD, MORE], both, ['root', 'more'], ['more']), BEGAN, ['plug disk more']],
    ['one that the guest has', machine([ROOT, CD, MORE], both, ['root', 'more'], ['more']), withFile('more'), []],
    ['one that is to go', machine([ROOT, CD], both, ['root'], ['more']), withFile('more'), ['unplug disk more']],
    ['a medium', machine([ROOT, CD], both, ['root', 'cd'], ['cd']), BEGAN, ['insert cd']],
    ['a medium that is to go', machine([ROOT, CD], both, ['root'], ['cd']), withFile('cd'), ['eject cd']],
    ['a pulled cable', machine([ROOT, CD], [nic('a', 'down'), nic('b')], ['root']), BEGAN, ['link of interface a down']],
    ['an interface that is to go', machine([ROOT, CD], [nic('a', 'absent'), nic('b')], ['root']), BEGAN, ['unplug interface a']],
    ['one that is gone from the list', machine([ROOT, CD], [nic('b')], ['root']), BEGAN, ['unplug interface a']],
    ['one more', machine([ROOT, CD], [...both, nic('c')], ['root']), BEGAN, ['plug interface c']],
  ])('%s', (_name, asked, plan, expected) => {
    expect(deviceSteps(asked, plan).map(nameOfStep)).toEqual(expected);
  });

  test('a new interface takes a number that none of those there has, wherever it is in the list', () => {
    const left = {...BEGAN, nics: BEGAN.nics.filter(({name}) => name === 'b')};
    const [step] = deviceSteps(machine([ROOT, CD], [nic('b'), nic('c')], ['root']), left);
    expect(step).toMatchObject({do: 'plug-nic', nic: {name: 'c', index: 0}});
  });

  test('facts: disks with bytes, links', () => {
    const facts = deviceFacts(withFile('more'));
    expect([...facts.disks]).toEqual([
      ['root', 'vda'],
      ['more', 'vdb'],
    ]);
    expect([...facts.nics]).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });
});

describe('ports', () => {
  test('each virtio device has its own, and four are spare; SCSI has units', () => {
    expect(BEGAN.disks.map(({port}) => port)).toEqual([0, 0]); // root on port 0, cd is unit 0
    expect(BEGAN.nics.map(({port}) => port)).toEqual([1, 2]);
    expect([BEGAN.ports, freePort(BEGAN, 'virtio'), freePort(BEGAN, 'scsi')]).toEqual([7, 3, 1]);
    expect(portArguments(BEGAN).filter((argument) => argument !== '-device')).toHaveLength(7);
  });
  test('a port that was given back is taken again, and a full machine has none', () => {
    expect(freePort({...BEGAN, nics: BEGAN.nics.slice(1)}, 'virtio')).toBe(1);
    expect(freePort({...BEGAN, ports: 3}, 'virtio')).toBeUndefined();
  });
  test('the older machine has its devices in the slots of its bus, up to sixteen', () => {
    const {port: _first, ...plain} = BEGAN.nics[0] as MachinePlan['nics'][number];
    const nics = Array.from({length: 18}, (_, index) => ({...plain, index}));
    const old = withPorts({...BEGAN, machine: 'pc', disks: [], nics});
    expect([portArguments(old), old.ports, portOptions(old, 0), portOptions(old, undefined)]).toEqual([[], 16, ',bus=pci.0,addr=0x10', '']);
    expect(old.nics.at(-1)?.port).toBeUndefined();
  });
});
