import {describe, expect, test} from '@jest/globals';
import {BASE, MACHINES, OWNER, UUID} from './testing.ts';
import {buildVirtualMachine, guestAnnotationsOf} from './virtual-machine.ts';
import type {Machine} from './virtual-machine.ts';

const specOf = (machine: Partial<Machine>) => {
  const spec = buildVirtualMachine({...BASE, ...machine}).spec.template.spec;
  if (spec === undefined) throw new Error('a template without a spec');
  return spec;
};
const named = (name: string) => {
  const machine = MACHINES[name];
  if (machine === undefined) throw new Error(`no fixture ${name}`);
  return specOf(machine);
};

describe('identity and power', () => {
  test('name, owner, labels', () => {
    const {metadata, apiVersion, kind} = buildVirtualMachine({...BASE, placement: {region: 'r1', cell: 'c1', host: 'h1'}});
    expect([apiVersion, kind]).toEqual(['kubevirt.io/v1', 'VirtualMachine']);
    expect(metadata).toEqual({
      name: 'web',
      namespace: 'acct-demo',
      labels: {'basalt.dev/server': UUID, 'basalt.dev/region': 'r1', 'basalt.dev/cell': 'c1'},
      ownerReferences: [OWNER],
    });
  });

  test.each(['RerunOnFailure', 'Halted'] as const)('runStrategy %s, and never the deprecated running', (runStrategy) => {
    const {spec} = buildVirtualMachine({...BASE, runStrategy});
    expect(spec.runStrategy).toBe(runStrategy);
    expect(spec).not.toHaveProperty('running');
    expect(spec).not.toHaveProperty('dataVolumeTemplates');
    expect(spec).not.toHaveProperty('instancetype');
  });

  test('annotations for the guest are handed on beside our own, and no others', () => {
    const asked = {'guest.basalt.dev/mode': 'simulated', 'hooks.kubevirt.io/hookSidecars': '[]', note: 'mine'};
    const guestAnnotations = guestAnnotationsOf(asked);
    expect(guestAnnotations).toEqual({'guest.basalt.dev/mode': 'simulated'});
    const machine = {...MACHINES['from an image'], guestAnnotations} as Machine;
    const {annotations} = buildVirtualMachine(machine).spec.template.metadata ?? {};
    expect(annotations).toEqual({
      'guest.basalt.dev/mode': 'simulated',
      ...buildVirtualMachine({...machine, guestAnnotations: {}}).spec.template.metadata?.annotations,
    });
    expect(Object.keys(annotations ?? {})).toHaveLength(2);
    expect(guestAnnotationsOf(undefined)).toEqual({});
  });

  test('what the mutating webhook would otherwise fill in', () => {
    const spec = specOf({});
    expect(spec.architecture).toBe('amd64');
    expect(spec.hostname).toBe(BASE.hostname);
    expect(spec.evictionStrategy).toBe('LiveMigrateIfPossible');
    expect(spec.terminationGracePeriodSeconds).toBe(300);
    expect(spec.domain.machine).toEqual({type: 'q35'});
    expect(spec.domain.firmware).toEqual({uuid: UUID, serial: UUID, bootloader: {bios: {}}});
    expect(spec.domain.clock?.utc).toEqual({});
    expect(spec.domain.features).toEqual({acpi: {enabled: true}});
    expect(spec.domain.devices.rng).toEqual({});
    expect(spec.domain.devices.logSerialConsole).toBe(true);
    expect(spec.domain.devices.autoattachGraphicsDevice).toBe(true);
  });

  test('the same input gives the same bytes', () => {
    for (const machine of Object.values(MACHINES))
      expect(JSON.stringify(buildVirtualMachine(machine))).toBe(JSON.stringify(buildVirtualMachine(machine)));
  });
});

describe('cpu and memory', () => {
  test.each([
    {cores: 1, memoryMiB: 512, cpuMHz: undefined, maxSockets: 4, share: undefined},
    {cores: 2, memoryMiB: 2048, cpuMHz: undefined, maxSockets: 8, share: undefined},
    {cores: 200, memoryMiB: 4096, cpuMHz: undefined, maxSockets: 512, share: undefined},
    {cores: 600, memoryMiB: 4096, cpuMHz: undefined, maxSockets: 600, share: undefined},
    {cores: 1, memoryMiB: 512, cpuMHz: 2200, maxSockets: 4, share: '1000m'},
    {cores: 2, memoryMiB: 512, cpuMHz: 3300, maxSockets: 8, share: '1500m'},
    {cores: 1, memoryMiB: 512, cpuMHz: 1, maxSockets: 4, share: '1m'},
  ])('$cores cores, $memoryMiB MiB, $cpuMHz MHz', ({cores, memoryMiB, cpuMHz, maxSockets, share}) => {
    const {domain} = specOf({resources: {cores, memoryMiB, ...(cpuMHz === undefined ? {} : {cpuMHz})}});
    expect(domain.cpu).toEqual({sockets: cores, cores: 1, threads: 1, maxSockets});
    expect(domain.memory).toEqual({guest: `${memoryMiB}Mi`});
    expect(domain.resources).toEqual(share === undefined ? undefined : {requests: {cpu: share}, limits: {cpu: share}});
  });
});

describe('disks', () => {
  test('each bus, with the serial of its slot', () => {
    const {domain, volumes} = named('a disk on every bus');
    expect(domain.devices.disks).toEqual([
      {name: 'ide-0-0', bootOrder: 2, disk: {bus: 'sata'}, serial: 'ide00'},
      {name: 'ide-0-1', disk: {bus: 'sata'}, serial: 'ide01'},
      {name: 'ide-1-1', disk: {bus: 'sata'}, serial: 'ide11'},
      {name: 'block-1', bootOrder: 1, disk: {bus: 'virtio'}, serial: 'blk1'},
      {name: 'scsi-0-3', disk: {bus: 'scsi'}, serial: 'scsi3'},
    ]);
    expect(volumes?.[3]).toEqual({name: 'block-1', persistentVolumeClaim: {claimName: 'drive-d'}});
  });

  test('a CD-ROM is read-only and never virtio', () => {
    expect(named('boot from a CD-ROM').domain.devices.disks?.[1]).toEqual({
      name: 'ide-1-0',
      bootOrder: 1,
      cdrom: {bus: 'sata', readonly: true},
    });
    expect(named('CD-ROM in a block slot').domain.devices.disks).toEqual([{name: 'block-0', cdrom: {bus: 'sata', readonly: true}}]);
  });

  test('a shared drive is shareable and uncached, an exclusive one is neither', () => {
    expect(named('a shared drive').domain.devices.disks).toEqual([
      {name: 'block-0', disk: {bus: 'virtio'}, serial: 'blk0', shareable: true, cache: 'none'},
    ]);
    expect(named('from an image').domain.devices.disks?.[0]).toEqual({
      name: 'block-0',
      bootOrder: 1,
      disk: {bus: 'virtio'},
      serial: 'blk0',
    });
  });

  test('boot order numbers exactly the list: unknown slots are skipped, none means no numbers', () => {
    const disks = [{slot: 'block:0', claimName: 'a', media: 'Disk', shared: false}] as const;
    const orders = (bootOrder?: readonly string[]) =>
      specOf({disks, ...(bootOrder === undefined ? {} : {bootOrder})}).domain.devices.disks?.map((disk) => disk.bootOrder);
    expect(orders(['ide:0:0', 'block:0', 'block:0'])).toEqual([1]);
    expect(orders([])).toEqual([undefined]);
    expect(orders()).toEqual([undefined]);
  });

  test('the seed is the last disk and comes from the Secret', () => {
    const {domain, volumes} = named('from an image');
    expect(domain.devices.disks?.at(-1)).toEqual({name: 'cloudinit', disk: {bus: 'virtio'}});
    const ref = {name: 'web-cloudinit'};
    expect(volumes?.at(-1)).toEqual({name: 'cloudinit', cloudInitNoCloud: {secretRef: ref, networkDataSecretRef: ref}});
    expect(named('bare').volumes).toEqual([]);
  });

  test('an unknown slot is an error, not a disk somewhere', () => {
    expect(() => specOf({disks: [{slot: 'floppy', claimName: 'a', media: 'Disk', shared: false}]})).toThrow(RangeError);
  });
});

describe('NICs', () => {
  test('each model on its network, sorted by index, with the leased addresses as an annotation', () => {
    const machine = {...BASE, nics: [...(MACHINES['every NIC model']?.nics ?? [])].toReversed()};
    const {spec} = buildVirtualMachine(machine);
    expect(spec.template.spec?.domain.devices.interfaces).toEqual([
      {name: 'nic0', model: 'virtio', macAddress: '52:54:00:12:34:56', bridge: {}},
      {name: 'nic1', model: 'e1000', macAddress: '52:54:00:12:34:57', bridge: {}},
      {name: 'nic2', model: 'rtl8139', macAddress: '52:54:00:12:34:58', bridge: {}},
    ]);
    expect(spec.template.spec?.networks).toEqual([
      {name: 'nic0', multus: {networkName: 'basalt-system/public'}},
      {name: 'nic1', multus: {networkName: 'acct-demo/vlan-12'}},
      {name: 'nic2', multus: {networkName: 'acct-demo/vlan-13'}},
    ]);
    expect(spec.template.metadata?.annotations).toEqual({'basalt.dev/nic-addresses': '{"nic0":"10.251.0.7","nic1":"192.168.1.10"}'});
    expect(spec.template.spec?.domain.devices).not.toHaveProperty('autoattachPodInterface');
  });

  test('none: the pod network is not attached either', () => {
    const spec = specOf({});
    expect(spec.domain.devices.autoattachPodInterface).toBe(false);
    expect(spec.domain.devices.interfaces).toEqual([]);
    expect(spec.networks).toEqual([]);
    expect(buildVirtualMachine(BASE).spec.template.metadata).not.toHaveProperty('annotations');
  });
});

describe('placement', () => {
  test.each([
    [{}, undefined],
    [{region: 'r'}, {'topology.basalt.dev/region': 'r'}],
    [
      {region: 'r', cell: 'c', host: 'h'},
      {'topology.basalt.dev/region': 'r', 'topology.basalt.dev/cell': 'c', 'topology.basalt.dev/host': 'h'},
    ],
  ])('%j', (placement, nodeSelector) => {
    expect(specOf({placement}).nodeSelector).toEqual(nodeSelector);
  });

  test('groups: a template label each, hard and soft terms, host and cell', () => {
    const vm = buildVirtualMachine(MACHINES['in groups'] ?? BASE);
    const term = (id: string, topologyKey: string) => ({
      labelSelector: {matchExpressions: [{key: `basalt.dev/servergroup-${id}`, operator: 'Exists'}]},
      topologyKey,
    });
    expect(vm.spec.template.metadata?.labels).toEqual({
      'basalt.dev/server': UUID,
      'basalt.dev/servergroup-g-apart': '',
      'basalt.dev/servergroup-g-soft': '',
      'basalt.dev/servergroup-g-near': '',
      'basalt.dev/servergroup-g-maybe': '',
    });
    expect(vm.spec.template.spec?.affinity).toEqual({
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [term('g-near', 'topology.basalt.dev/cell')],
        preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: term('g-maybe', 'kubernetes.io/hostname')}],
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [term('g-apart', 'kubernetes.io/hostname')],
        preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: term('g-soft', 'topology.basalt.dev/cell')}],
      },
    });
    expect(specOf({})).not.toHaveProperty('affinity');
  });
});
