/** Fixtures of the builders: one of every shape that is generated, for the unit tests and for the dry run against KubeVirt's real admission. */
import type {OwnerReference} from '../../kube/objects.ts';
import type {Machine} from './virtual-machine.ts';

export const UUID = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';

export const OWNER: OwnerReference = {
  apiVersion: 'basalt.dev/v1alpha1',
  kind: 'Server',
  name: 'web',
  uid: 'uid-1',
  controller: true,
  blockOwnerDeletion: true,
};

/** A plain server: one core, 512 MiB, nothing attached. */
export const BASE: Machine = {
  name: 'web',
  namespace: 'acct-demo',
  owner: OWNER,
  uuid: UUID,
  hostname: 'web-1',
  runStrategy: 'RerunOnFailure',
  resources: {cores: 1, memoryMiB: 512},
  disks: [],
  nics: [],
  placement: {},
  groups: [],
};

const DISK = {claimName: 'drive-a', media: 'Disk', shared: false} as const;
const NIC = {
  index: 0,
  attachment: 'basalt-system/public',
  model: 'virtio',
  macAddress: '52:54:00:12:34:56',
  address: '10.251.0.7',
} as const;

/** Every shape by name. Each of them must pass KubeVirt's admission. */
export const MACHINES: Readonly<Record<string, Machine>> = {
  bare: BASE,
  halted: {...BASE, runStrategy: 'Halted'},
  'from an image': {
    ...BASE,
    disks: [{...DISK, slot: 'block:0', claimName: 'web-root'}],
    bootOrder: ['block:0'],
    nics: [NIC],
    cloudInitSecret: 'web-cloudinit',
  },
  'a disk on every bus': {
    ...BASE,
    disks: [
      {...DISK, slot: 'ide:0:0'},
      {...DISK, slot: 'ide:0:1', claimName: 'drive-b'},
      {...DISK, slot: 'ide:1:1', claimName: 'drive-c'},
      {...DISK, slot: 'block:1', claimName: 'drive-d'},
      {...DISK, slot: 'scsi:0:3', claimName: 'drive-e'},
    ],
    bootOrder: ['block:1', 'ide:0:0'],
  },
  'boot from a CD-ROM': {
    ...BASE,
    disks: [
      {...DISK, slot: 'ide:0:0'},
      {...DISK, slot: 'ide:1:0', claimName: 'install-cd', media: 'Cdrom'},
    ],
    bootOrder: ['ide:1:0', 'ide:0:0'],
  },
  'CD-ROM in a block slot': {...BASE, disks: [{...DISK, slot: 'block:0', media: 'Cdrom'}]},
  'a shared drive': {...BASE, disks: [{...DISK, slot: 'block:0', shared: true}]},
  'every NIC model': {
    ...BASE,
    nics: [
      NIC,
      {...NIC, index: 1, attachment: 'acct-demo/vlan-12', model: 'e1000', macAddress: '52:54:00:12:34:57', address: '192.168.1.10'},
      {index: 2, attachment: 'acct-demo/vlan-13', model: 'rtl8139', macAddress: '52:54:00:12:34:58'},
    ],
  },
  'clock in MHz': {...BASE, resources: {cores: 2, memoryMiB: 1001, cpuMHz: 3300}},
  large: {...BASE, resources: {cores: 200, memoryMiB: 1_048_576}},
  placed: {...BASE, placement: {region: 'default-0a1b2c3d', cell: 'cell-1', host: 'bm-003'}},
  'in groups': {
    ...BASE,
    groups: [
      {id: 'g-apart', policy: 'AntiAffinity', topology: 'Host'},
      {id: 'g-soft', policy: 'SoftAntiAffinity', topology: 'Cell'},
      {id: 'g-near', policy: 'Affinity', topology: 'Cell'},
      {id: 'g-maybe', policy: 'SoftAffinity', topology: 'Host'},
    ],
  },
};
