/** `spec` of a Server. */
import {
  MAC_ADDRESS,
  displayName,
  idField,
  idRule,
  ipAddress,
  keyValues,
  localReference,
  nameOf,
  reference,
  textField,
  useField,
} from './common.ts';
import {MAX_DISK_GIB, MAX_MEMORY_MIB, MAX_VCPUS} from './flavor.ts';
import {diskTypeField, tierField} from './image.ts';
import {req, s} from './schema.ts';
import type {Infer, Rule} from './schema.ts';
import {MAX_DISKS, slotField} from './slots.ts';

const cpu = s.object(
  'CPU of a server without a flavor.',
  {
    cores: s.integer('Virtual CPUs; absent: one per 2,200 MHz, at least one.', {min: 1, max: MAX_VCPUS}),
    mhz: s.integer('Computing power in MHz over all virtual CPUs; absent: whole cores.', {min: 100, max: 5_000_000}),
  },
  {rules: [{rule: 'has(self.cores) || has(self.mhz)', message: 'cpu needs cores or mhz', reason: 'FieldValueRequired'}]},
);

const disk = s.object(
  'A drive in a slot.',
  {slot: req(slotField), drive: req(nameOf('Name of the Drive.')), media: diskTypeField},
  {
    rules: [
      {
        rule: "self.media != 'Cdrom' || !self.slot.startsWith('block:')",
        message: 'a Cdrom goes into an ide or scsi slot',
        fieldPath: '.media',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

const nic = s.object(
  'A network interface.',
  {
    index: req(s.integer('Index: the order in which the guest sees them.', {min: 0, max: 7})),
    network: reference('Network; absent: the public one.', 'Network'),
    model: s.oneOf('Card that the guest sees.', ['virtio', 'e1000', 'rtl8139'], {default: 'virtio'}),
    macAddress: s.string('MAC address; absent: one is chosen and kept.', {min: 17, max: 17, pattern: MAC_ADDRESS}),
    addressing: s.oneOf(
      'Auto: an address is leased. Static: the one in `address`. Manual: none, the guest decides.',
      ['Auto', 'Static', 'Manual'],
      {
        default: 'Auto',
      },
    ),
    address: ipAddress('Address of a Static NIC.'),
  },
  {
    rules: [
      {
        rule: "(self.addressing == 'Static') == has(self.address)",
        message: 'address goes with addressing Static, and Static needs it',
        fieldPath: '.address',
        reason: 'FieldValueInvalid',
      },
      {
        // Bit 0 of the first byte: a group address, which no NIC may have.
        rule: "!has(self.macAddress) || self.macAddress.substring(1, 2) in ['0', '2', '4', '6', '8', 'a', 'c', 'e']",
        message: 'macAddress must not be a multicast address',
        fieldPath: '.macAddress',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

const personality = s.object('A file that is there at the first boot.', {
  path: req(s.string('Absolute path in the guest.', {min: 2, max: 255, pattern: '^/[^\\x00]+$'})),
  contentKey: req(s.string('Key of the boot Secret with the content.', {min: 1, max: 253, pattern: '^[-._a-zA-Z0-9]+$'})),
  owner: s.string('User who owns it; absent: root.', {max: 32, pattern: '^[A-Za-z_][-A-Za-z0-9_.]*\\$?$'}),
  group: s.string('Group that owns it; absent: root.', {max: 32, pattern: '^[A-Za-z_][-A-Za-z0-9_.]*\\$?$'}),
  mode: s.string('Permissions in octal; absent: 0644.', {min: 3, max: 5, pattern: '^0?[0-7]{3,4}$'}),
});

const console = s.object('How to look at it.', {
  vnc: s.object(
    'VNC over the api-server.',
    {
      passwordSecret: localReference('Secret whose key `password` opens the console; absent: closed.', 'Secret'),
      tls: s.oneOf('Whether the connection is encrypted.', ['Enabled', 'Disabled'], {default: 'Disabled'}),
    },
    {
      rules: [
        {
          rule: "self.tls != 'Enabled' || has(self.passwordSecret)",
          message: 'tls needs a passwordSecret',
          fieldPath: '.passwordSecret',
          reason: 'FieldValueRequired',
        },
      ],
    },
  ),
});

const unique = (list: string, field: string, message: string): Rule => ({
  rule: `!has(self.${list}) || self.${list}.all(x, !has(x.${field}) || self.${list}.filter(y, has(y.${field}) && y.${field} == x.${field}).size() == 1)`,
  message,
  fieldPath: `.${list}`,
  reason: 'FieldValueInvalid',
});

export const serverSpec = s.object(
  'What the server is.',
  {
    id: idField,
    name: req(displayName('server')),
    powerState: s.oneOf('Whether it should run.', ['Running', 'Stopped'], {default: 'Running'}),
    powerOffMode: s.oneOf(
      'How it is stopped. Hard: at once. Soft: the guest is asked. TrySoft: asked, and forced when its time is over.',
      ['Hard', 'Soft', 'TrySoft'],
      {
        default: 'TrySoft',
      },
    ),
    lifecycle: s.oneOf('Ephemeral: deleted once it has stopped.', ['Persistent', 'Ephemeral'], {default: 'Persistent'}),
    flavor: nameOf('Flavor; in place of cpu and memoryMiB.'),
    cpu,
    memoryMiB: s.integer('Memory in MiB of a server without a flavor.', {min: 16, max: MAX_MEMORY_MIB}),
    image: reference('Image that the root drive is made from, in slot block:0.', 'Image'),
    rootDisk: s.object('The root drive that is made from the image.', {
      sizeGiB: s.integer('Size in GiB; absent: the flavor’s, else the image’s.', {min: 1, max: MAX_DISK_GIB}),
      tier: tierField,
    }),
    disks: s.listMap('Drives and where they are plugged in. They outlive the server.', disk, {key: 'slot', max: MAX_DISKS}),
    bootOrder: s.list('Slots to boot from, in order; absent: block:0, else the first slot with a drive.', slotField, {max: MAX_DISKS}),
    nics: s.listMap('Network interfaces; absent: one on the public network; empty: none.', nic, {key: 'index', max: 8}),
    console,
    bootSecret: localReference('Secret with first-boot data: `passwordHash`, `userData` and the contents of personality.', 'Secret'),
    personality: s.listMap('Files for the first boot.', personality, {key: 'path', max: 16}),
    keyPairs: s.list('KeyPairs that may log in.', nameOf('A KeyPair.'), {max: 16, type: 'set'}),
    metadata: keyValues('Metadata, as the compute APIs show it.'),
    placement: s.object('Where it should run.', {
      region: nameOf('Region.'),
      cell: nameOf('Cell.'),
      host: nameOf('Host.'),
    }),
    serverGroups: s.list('ServerGroups that it belongs to.', nameOf('A ServerGroup.'), {max: 8, type: 'set'}),
    description: textField('Text for people.'),
    use: useField,
  },
  {
    rules: [
      idRule,
      {
        rule: 'has(self.flavor) != (has(self.cpu) || has(self.memoryMiB))',
        message: 'give a flavor, or cpu and memoryMiB, not both',
        fieldPath: '.flavor',
        reason: 'FieldValueInvalid',
      },
      {
        rule: 'has(self.flavor) || has(self.cpu)',
        message: 'cpu is needed without a flavor',
        fieldPath: '.cpu',
        reason: 'FieldValueRequired',
      },
      {
        rule: 'has(self.flavor) || has(self.memoryMiB)',
        message: 'memoryMiB is needed without a flavor',
        fieldPath: '.memoryMiB',
        reason: 'FieldValueRequired',
      },
      {
        rule: '!has(self.rootDisk) || has(self.image)',
        message: 'rootDisk needs an image',
        fieldPath: '.rootDisk',
        reason: 'FieldValueForbidden',
      },
      unique('disks', 'drive', 'a drive can be in one slot only'),
      unique('nics', 'macAddress', 'two NICs cannot have one macAddress'),
      {
        rule: '!has(self.bootOrder) || self.bootOrder.all(x, self.bootOrder.filter(y, y == x).size() == 1)',
        message: 'a slot can be in bootOrder once only',
        fieldPath: '.bootOrder',
        reason: 'FieldValueInvalid',
      },
      {
        rule: '!has(self.personality) || size(self.personality) == 0 || has(self.bootSecret)',
        message: 'personality needs a bootSecret',
        fieldPath: '.bootSecret',
        reason: 'FieldValueRequired',
      },
    ],
  },
);

/** A drive in a slot. */
export type ServerDisk = Infer<typeof disk>;
/** A network interface. */
export type ServerNic = Infer<typeof nic>;
/** A file for the first boot. */
export type ServerPersonality = Infer<typeof personality>;
