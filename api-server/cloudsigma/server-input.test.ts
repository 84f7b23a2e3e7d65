import {describe, expect, test} from '@jest/globals';
import {Failure} from '../http/failure.ts';
import {parseProperties} from './codec.ts';
import {Problems} from './errors.ts';
import {isBootable, readServerCreate, type ServerFields} from './server-input.ts';

const DRIVE = '6baaa083-534a-4376-8a60-c5488fc99258';
const OTHER = '76096e90-6e34-40b6-9ef5-216abe6b330b';
const VLAN = '6e2d1f6a-03c8-422b-bc8e-d744612cf46a';

function read(text: string): ServerFields {
  const body = parseProperties(text);
  const problems = new Problems();
  const fields = readServerCreate(body, problems);
  problems.throwIfAny(body);
  return fields;
}

function problemsOf(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof Failure) return error.fields.map((field) => field.path).toSorted();
    throw error;
  }
  return [];
}

const base = 'name s\ncpu 1000\nmem 512\n';

describe('servers/create', () => {
  test("libcloud's body", () => {
    const body = `name n\ncpu 1\nmem 512\nide:0:0 ${DRIVE}\nboot ide:0:0\nsmp auto\nnic:0:model e1000\nnic:0:dhcp auto\nvnc:ip auto\nvnc:password secret\n`;
    expect(read(body)).toEqual({
      name: 'n',
      cpu: {mhz: 1000, cores: 1},
      memoryMiB: 512,
      persistent: true,
      devices: [{slot: 'ide:0:0', key: 'ide:0:0', driveUuid: DRIVE, media: 'Disk'}],
      bootOrder: ['ide:0:0'],
      nics: [{index: 0, model: 'e1000', addressing: 'Auto', vlanUuid: undefined, macAddress: undefined}],
      vnc: {password: 'secret', tls: false},
      use: [],
      description: undefined,
      metadata: [],
    });
  });

  test('everything else that can be said', () => {
    const fields = read(
      `${base}smp 1\npersistent false\nblock:0:1 ${DRIVE}\nide:1:0 ${OTHER.toUpperCase()}\nide:1:0:media cdrom\nboot ide:1:0 block:1 ide:1:0\n` +
        `nic:1:model virtio\nnic:1:vlan ${VLAN}\nnic:1:mac 52:54:00:AA:BB:CC\nvnc:password p\nvnc:tls on\nuse web db\nuser:team blue\ndescription two\\nlines\nstatus stopped\n`,
    );
    expect(fields).toMatchObject({
      cpu: {mhz: 1000, cores: 1},
      persistent: false,
      devices: [
        {slot: 'ide:1:0', driveUuid: OTHER, media: 'Cdrom'},
        {slot: 'block:1', key: 'block:0:1', driveUuid: DRIVE, media: 'Disk'},
      ],
      bootOrder: ['ide:1:0', 'block:1'],
      nics: [{index: 1, model: 'virtio', addressing: 'Manual', vlanUuid: VLAN, macAddress: '52:54:00:aa:bb:cc'}],
      vnc: {password: 'p', tls: true},
      use: ['web', 'db'],
      description: 'two\nlines',
      metadata: [{key: 'team', value: 'blue'}],
    });
  });

  test.each([
    ['', ['cpu', 'mem', 'name']],
    ['name s\u001b[1m\ncpu 4000\nmem 512', ['name']],
    ['name s\u007f\ncpu 4000\nmem 512', ['name']],
    ['name s\ncpu fast\nmem lots', ['cpu', 'mem']],
    [`${base}smp many`, ['smp']],
    [`${base}smp 2`, ['smp']],
    [`name s\ncpu 4000\nmem 512\nsmp 1`, ['smp']],
    [`${base}ide:0:0 nonsense`, ['ide:0:0']],
    [`${base}ide:2:0 ${DRIVE}`, ['ide:2:0']],
    [`${base}ide:0:0 ${DRIVE}\nblock:0 ${DRIVE}`, ['block:0']],
    [`${base}ide:0:0:media cdrom`, ['ide:0:0:media']],
    [`${base}ide:0:0 ${DRIVE}\nide:0:0:media tape`, ['ide:0:0:media']],
    [`${base}block:1 ${DRIVE}\nblock:1:media cdrom`, ['block:1:media']],
    ['name s\ncpu 9999999\nmem 15', ['cpu', 'mem']],
    ['name s\ncpu 2\nmem 512\nsmp 513', ['smp']],
    [`${base}boot network`, ['boot']],
    [`${base}nic:0:model ne2000`, ['nic:0:model']],
    [`${base}nic:0:dhcp 91.203.56.72`, ['nic:0:dhcp']],
    [`${base}nic:1:model e1000`, ['nic:1:vlan']],
    [`${base}nic:1:vlan v`, ['nic:1:vlan']],
    [`${base}nic:1:vlan ${VLAN}\nnic:1:mac 01:00:5e:00:00:01`, ['nic:1:mac']],
    [`${base}nic:2:model e1000`, ['nic:2:model']],
    [`${base}vnc:password longer-than-8`, ['vnc:password']],
    [`${base}vnc:tls maybe`, ['vnc:tls']],
    [`${base}vnc:ip 1.2.3.4`, ['vnc:ip']],
    [`${base}persistent yes`, ['persistent']],
  ])('%j names every wrong key', (body, keys) => {
    expect(problemsOf(body)).toEqual(keys);
  });

  test('unset keys and unknown keys are dropped', () => {
    expect(read(`${base}block:3 \nvnc:password\nide:0:1\nparent ${DRIVE}\nide:0:0:read:bytes 7\nhypervisor xen\n`)).toMatchObject({
      devices: [],
      vnc: undefined,
    });
  });

  test.each([
    ['no drive', '', false],
    ['any drive without boot', `block:2 ${DRIVE}`, true],
    ['the drive that boot names', `ide:0:0 ${DRIVE}\nboot ide:0:0`, true],
    ['boot names an empty device', `ide:0:0 ${DRIVE}\nboot ide:0:1`, false],
    ['one of several boot devices', `ide:0:0 ${DRIVE}\nboot ide:0:1 ide:0:0`, true],
  ])('bootable: %s', (_name, text, bootable) => {
    expect(isBootable(read(base + text))).toBe(bootable);
  });
});
