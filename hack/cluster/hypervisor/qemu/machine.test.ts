import {describe, expect, test} from '@jest/globals';
import {buildVirtualMachine} from '../../../../operator/kubevirt/virtual-machine.ts';
import {vmi} from '../testing/objects.ts';
import {blockdev, commandLine, nodeName, runFiles} from './command-line.ts';
import {mebibytesOf, planMachine} from './machine.ts';
import type {MachinePlan, VolumeFile} from './machine.ts';

const FILE: VolumeFile = {file: '/pv/disk.img', format: 'raw', readOnly: false};
const FILES = runFiles('/run/g', '/run/s');

function plan(domain: object, volumes: Readonly<Record<string, VolumeFile | {unsupported: string}>> = {}, spec: object = {}) {
  const made = vmi();
  const object = {...made, spec: {...made.spec, ...spec, domain: {...domain}}};
  return planMachine(object as typeof made, new Map(Object.entries(volumes)));
}
const lineOf = (machine: MachinePlan, incoming = false): string => commandLine(machine, FILES, new Map(), incoming).join(' ');

test.each([
  ['128Mi', 128],
  ['1Gi', 1024],
  ['1.5Gi', 1536],
  ['134217728', 128],
  ['512M', 488],
  ['', undefined],
  ['much', undefined],
])('%s is %s MiB', (quantity, expected) => expect(mebibytesOf(quantity)).toBe(expected));

describe('cpu and memory', () => {
  test.each([
    [{}, 1, 128],
    [{cpu: {cores: 2, sockets: 3, threads: 2}, memory: {guest: '64Mi'}}, 12, 64],
    [{resources: {requests: {memory: '256Mi'}}}, 1, 256],
    [{memory: {guest: '512Mi'}, resources: {requests: {memory: '600Mi'}}}, 1, 512],
  ])('%j', (domain, vcpus, memoryMiB) => expect(plan(domain).plan).toMatchObject({vcpus, memoryMiB}));

  test.each([
    ['64Mi', 32],
    ['128Mi', 32],
    ['512Mi', 256],
  ])('a guest of %s has %i MiB for translated code', (guest, size) => {
    expect(lineOf(plan({memory: {guest}}).plan)).toContain(`tb-size=${size} `);
  });
});

describe('disks', () => {
  const disks = (...list: object[]) => ({devices: {disks: list}});

  test.each([
    ['virtio', 'virtio-blk-pci,id=disk-a,drive=drive-a,bootindex=1', 'q35'],
    ['scsi', 'scsi-hd,bus=scsi0.0,id=disk-a,drive=drive-a,bootindex=1', 'q35'],
    ['sata', 'ide-hd,bus=ide.0,unit=0,id=disk-a,drive=drive-a,bootindex=1', 'pc'],
  ])('on %s', (bus, device, machine) => {
    const made = plan(disks({name: 'a', disk: {bus}}), {a: FILE});
    expect(made.unsupported).toEqual(bus === 'sata' ? [expect.stringMatching(/IDE/)] : []);
    expect(made.plan.machine).toBe(machine);
    expect(lineOf(made.plan)).toContain(`-device ${device}`);
  });

  test('however long their names, no two disks have the same node, and qemu takes its name', () => {
    const long = 'kubernetes-dynamic-pvc-0123456789abcdef';
    const names = [`${long}-a`, `${long}-b`, 'x'.repeat(25), 'x'.repeat(26), 'x'.repeat(63), 'root'];
    const nodes = names.map(nodeName);
    expect(new Set(nodes).size).toBe(names.length);
    expect(nodes.filter((node) => !/^[a-z][\w.-]{0,30}$/.test(node))).toEqual([]);
    expect(nodes.at(-1)).toBe('drive-root');
    const line = lineOf(plan(disks({name: names[0], disk: {}}), {[names[0] ?? '']: FILE}).plan);
    expect(line).toContain(`"node-name":"${nodes[0]}"`);
    expect(line).toContain(`drive=${nodes[0]},`);
  });

  test('the numbers of the spec decide the boot order, and only they', () => {
    const {plan: made} = plan(disks({name: 'a', disk: {}}, {name: 'b', disk: {}, bootOrder: 2}), {a: FILE, b: FILE});
    expect(made.disks.map(({bootOrder}) => bootOrder)).toEqual([undefined, 2]);
  });

  test('serial, read-only, shared and a comma in a path', () => {
    const shared = {name: 'a', disk: {bus: 'virtio'}, serial: 'x,y', shareable: true};
    const {plan: made} = plan(disks(shared, {name: 'c', disk: {readonly: true}}), {a: {...FILE, file: '/a,b/disk.img'}, c: FILE});
    expect(lineOf(made)).toContain('serial=x,,y,share-rw=on');
    expect(blockdev(made.disks[0] ?? never())).toMatchObject({'read-only': false, file: {filename: '/a,b/disk.img', locking: 'off'}});
    expect(blockdev(made.disks[1] ?? never())).toMatchObject({'read-only': true});
  });

  test('CD-ROMs are read-only, four of them find a place, and an empty one has no medium', () => {
    const cdroms = ['a', 'b', 'c', 'd'].map((name) => ({name, cdrom: {bus: 'sata'}}));
    const {plan: made, unsupported} = plan(disks(...cdroms), {a: FILE, b: FILE, c: FILE});
    expect(unsupported).toEqual([expect.stringMatching(/IDE/)]);
    expect(made.disks.every(({readOnly}) => readOnly)).toBe(true);
    const places = [...lineOf(made).matchAll(/ide-cd,bus=ide\.(\d),unit=(\d),id=disk-(\w)(,drive=)?/g)].map(
      ([, bus, unit, name, drive]) => `${bus}${unit}${name}${drive ?? ''}`,
    );
    expect(places).toEqual(['00a,drive=', '01b,drive=', '10c,drive=', '11d']);
  });

  test('a fifth on sata is left out, in words', () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((name) => ({name, cdrom: {bus: 'sata'}}));
    const {plan: made, unsupported} = plan(disks(...five, {name: 'f', disk: {}}), {f: FILE});
    expect(made.disks.map(({name}) => name)).toEqual(['a', 'b', 'c', 'd', 'f']);
    expect(unsupported).toContainEqual('disk e: sata has 4 places, and all are taken');
    expect(lineOf(made)).not.toContain('bus=ide.2');
  });

  test.each([
    [{name: 'a', disk: {}}, {}, /disk a: no volume/],
    [{name: 'a', disk: {}}, {a: {unsupported: 'volumes of kind hostDisk are not there'}}, /disk a: volumes of kind hostDisk/],
    [{name: 'a', disk: {bus: 'usb'}}, {a: FILE}, /bus usb is not there/],
    [{name: 'a', disk: {}, cache: 'none'}, {a: FILE}, /disk a: cache none/],
    [{name: 'a', disk: {}, cache: 'writethrough', shareable: true}, {a: FILE}, /disk a: cache writethrough/],
    [{name: 'a', disk: {}, io: 'native'}, {a: FILE}, /disk a: io native/],
    [{name: 'a', disk: {}, blockSize: {custom: {logical: 4096, physical: 4096}}}, {a: FILE}, /disk a: .*blockSize/],
    [{name: 'a', disk: {}, dedicatedIOThread: true}, {a: FILE}, /disk a: .*I\/O thread/],
    [{name: 'a', lun: {bus: 'scsi'}}, {a: FILE}, /LUN/],
  ])('%j is said not to be there', (disk, files, expected) => {
    const domain = {machine: {type: JSON.stringify(disk).includes('usb') ? 'pc' : 'q35'}, ...disks(disk)};
    expect(plan(domain, files as Record<string, VolumeFile>).unsupported).toEqual([expect.stringMatching(expected)]);
  });
});

describe('NICs', () => {
  const nics = (list: object[], networks: object[] = []) => plan({devices: {interfaces: list}}, {}, {networks});

  test('model, MAC, attachment and link', () => {
    const {plan: made} = nics(
      [
        {name: 'nic0', macAddress: '52:54:00:AA:00:01', model: 'e1000'},
        {name: 'nic1', macAddress: '52:54:00:aa:00:02', state: 'down'},
        {name: 'nic2', state: 'absent'},
      ],
      [
        {name: 'nic0', multus: {networkName: 'basalt-system/public'}},
        {name: 'nic1', multus: {networkName: 'lan'}},
      ],
    );
    expect(made.nics).toMatchObject([
      {index: 0, model: 'e1000', mac: '52:54:00:aa:00:01', attachment: 'basalt-system/public', linkUp: true},
      {index: 1, model: 'virtio', attachment: `${vmi().metadata.namespace}/lan`, linkUp: false},
    ]);
    const line = commandLine(made, FILES, new Map([[0, ['-netdev', 'user,id=net0']]]), false).join(' ');
    expect(line).toContain('-netdev user,id=net0 -device e1000,id=nic0,netdev=net0,mac=52:54:00:aa:00:01,romfile=');
  });

  test('a NIC without a network of its own is on the pod network', () => {
    expect(nics([{name: 'nic0'}], [{name: 'nic0', pod: {}}]).plan.nics).toMatchObject([{attachment: undefined}]);
  });
});

test.each([
  [{firmware: {bootloader: {efi: {}}}}, /EFI/],
  [{cpu: {dedicatedCpuPlacement: true}}, /dedicated/],
  [{memory: {guest: '128Mi', hugepages: {pageSize: '2Mi'}}}, /huge pages/],
  [{devices: {hostDevices: [{name: 'gpu'}]}}, /hostDevices/],
  [{devices: {tpm: {}}}, /tpm/],
  [{launchSecurity: {sev: {}}}, /launchSecurity/],
  [{machine: {type: 'pc-q35-rhel9.8.0'}}, /machine: type pc-q35-rhel9.8.0/],
  [{machine: {type: 'pc'}}, /machine: .*q35/],
  [{cpu: {model: 'Skylake-Server'}}, /model Skylake-Server/],
  [{cpu: {features: [{name: 'vmx', policy: 'require'}]}}, /features/],
  [{ioThreadsPolicy: 'auto'}, /ioThreadsPolicy auto/],
  [{clock: {timezone: 'Europe/Zurich'}}, /timezone Europe\/Zurich/],
  [{clock: {utc: {offsetSeconds: 3600}}}, /offset/],
  [{features: {acpi: {enabled: false}}}, /ACPI/],
  [{features: {hyperv: {}}}, /hyperv/],
  [{chassis: {manufacturer: 'x'}}, /chassis/],
  [{devices: {autoattachSerialConsole: false}}, /serial console/],
])('%j is said not to be there', (domain, expected) => {
  expect(plan(domain).unsupported).toEqual([expect.stringMatching(expected)]);
});

test.each([
  [{machine: {type: 'q35'}, cpu: {model: 'host-model'}}],
  [{machine: {type: 'pc-q35-7.2'}, cpu: {model: 'max'}}],
  [{machine: {type: 'pc'}, devices: {disks: [{name: 'cd', cdrom: {bus: 'sata'}}]}}],
  [{devices: {disks: [{name: 'a', disk: {bus: 'virtio'}, cache: 'writeback', io: 'threads'}], autoattachSerialConsole: true}}],
])('%j is as it was asked for', (domain) => expect(plan(domain, {a: FILE}).unsupported).toEqual([]));

test('a server of ours, with a shared drive, is wholly as its machine says', () => {
  const {template} = buildVirtualMachine({
    name: 'web',
    namespace: 'ns',
    owner: {apiVersion: 'v1', kind: 'Server', name: 'web', uid: 'u'},
    uuid: '6b1e6c1c-0000-4000-8000-000000000001',
    hostname: 'web',
    runStrategy: 'RerunOnFailure',
    resources: {cores: 2, memoryMiB: 256, cpuMHz: 2000},
    disks: [
      {slot: 'block:0', claimName: 'root', media: 'Disk', shared: false},
      {slot: 'block:1', claimName: 'common', media: 'Disk', shared: true},
    ],
    nics: [],
    placement: {},
    groups: [],
    cloudInitSecret: 'seed',
  }).spec;
  const made = vmi();
  const files = new Map((template.spec?.volumes ?? []).map(({name}) => [name, FILE]));
  expect(planMachine({...made, spec: {...made.spec, domain: template.spec?.domain}} as unknown as typeof made, files).unsupported).toEqual(
    [],
  );
});

test('what changes nothing under emulation is not complained about', () => {
  expect(plan({devices: {rng: {}, logSerialConsole: true, autoattachPodInterface: false, hostDevices: []}}).unsupported).toEqual([]);
});

test.each([
  ['q35', {}],
  ['pc', {devices: {disks: [{name: 'a', cdrom: {bus: 'sata'}}]}}],
])('a kernel on %s can tell of its panic, also after a migration', (machine, domain) => {
  const {plan: made} = plan(domain);
  expect(made.machine).toBe(machine);
  for (const incoming of [false, true]) expect(lineOf(made, incoming)).toContain('-device pvpanic-pci ');
});

test('without graphics there is no screen, and a target of a migration waits', () => {
  const {plan: made} = plan({devices: {autoattachGraphicsDevice: false}});
  expect(lineOf(made, true)).toMatch(/-vga none .* -incoming unix:\/run\/s\/incoming/);
  expect(lineOf(made)).not.toContain('-vnc');
  expect(lineOf(plan({}).plan)).toContain('-vnc unix:/run/s/vnc');
});

function never(): never {
  throw new Error('no such disk');
}
