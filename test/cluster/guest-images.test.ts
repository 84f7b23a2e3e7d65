/**
 * The guest images, without a cluster around them: the same bytes from the same packages, and on each kind of disk a guest that takes the
 * operator's seed, lets people in, and goes when its button is pressed.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {ensureImage, findBuilt, type GuestImage, type ImageContext} from '../../hack/cluster/images/cache.ts';
import {DEBIAN, TINY} from '../../hack/cluster/images/recipes.ts';
import {commandFinder} from '../../hack/cluster/images/requirements.ts';
import {cacheFolder} from '../../hack/cluster/paths.ts';
import {buildNetworkData, buildUserData, type Seed} from '../../operator/kubevirt/cloud-init.ts';
import {GUEST, ImageGuest, makeKey} from '../lib/image-guest.ts';

const has = commandFinder(process.env);
const ready = process.env['BASALT_GUESTS'] === 'qemu' && has('ssh') && has('ssh-keygen');
const suite = ready ? describe : describe.skip;

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** A busy machine boots several at once. */
const BOOT_MS = 90_000;
/** sha512crypt of `letmein`. */
const HASH = '$6$basalt$zgAlKGKap5tE56Z.aG9PYrkrhj9uIKZ9YJNgvdd8e9.RFYY44WQPjqJi4LUD/Uso8D0x3iuH/imrigpIZjri41';

const silent = {isTTY: false, write: () => undefined};
const contextOf = (cache: string): ImageContext => ({cache, env: process.env, terminal: silent, now: Date.now});

const debian = ready ? await findBuilt(DEBIAN, contextOf(cacheFolder(process.env))) : undefined;

suite('guest images (needs GUESTS=qemu and an ssh client)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'basalt-images-'));
  const guests: ImageGuest[] = [];
  let tiny: GuestImage;
  let key: string;
  let publicKey: string;

  const seedOf = (changes: Partial<Seed>): Record<string, string> => {
    const seed: Seed = {
      server: 'web',
      namespace: 'acct-demo',
      uuid: 'u',
      owner: {apiVersion: 'basalt.dev/v1alpha1', kind: 'Server', name: 'web', uid: 'u'},
      displayName: 'Web One',
      sshKeys: [publicKey],
      files: [],
      nics: [{macAddress: GUEST.mac}],
      ...changes,
    };
    const metaData = JSON.stringify({'instance-id': 'one', 'local-hostname': 'other'});
    return {'user-data': buildUserData(seed), 'network-config': buildNetworkData(seed.nics), 'meta-data': metaData};
  };
  const guestOf = async (options: ConstructorParameters<typeof ImageGuest>[0]): Promise<ImageGuest> => {
    const guest = new ImageGuest(options);
    guests.push(guest);
    await guest.prepare();
    await guest.start();
    return guest;
  };
  const inside = async (guest: ImageGuest, command: string, user = 'root'): Promise<string> => {
    const {stdout, stderr, exitCode} = await guest.ssh(command, {key, user});
    expect({command, stderr, exitCode}).toMatchObject({exitCode: 0});
    return stdout.trimEnd();
  };

  beforeAll(async () => {
    tiny = await ensureImage(TINY, contextOf(cacheFolder(process.env)));
    ({key, publicKey} = await makeKey(folder));
  }, 10 * 60_000);
  afterAll(async () => {
    for (const guest of guests) await guest.remove();
    rmSync(folder, {recursive: true, force: true});
  });

  test(
    'tiny is the same byte for byte when it is built again',
    async () => {
      const again = await ensureImage(TINY, contextOf(join(folder, 'another/cache')));
      expect(again).toEqual({...tiny, path: again.path});
      expect(again.path).not.toBe(tiny.path);
    },
    10 * 60_000,
  );

  test.each([
    ['virtio', 'vda2'],
    ['scsi', 'sda2'],
    ['sata', 'sda2'],
  ] as const)(
    'tiny boots from a %s disk, takes its seed, lets in by key, and goes by its button',
    async (bus, partition) => {
      const files = [
        {
          path: '/etc/app/secret file',
          contentBase64: Buffer.from('über "x"\n').toString('base64'),
          mode: '0640',
          owner: 'nobody',
          group: 'nogroup',
        },
        {path: '/srv/large', contentBase64: Buffer.alloc(40_000, 'basalt').toString('base64')},
      ];
      const guest = await guestOf({image: tiny.path, bus, diskBytes: GIB, seed: seedOf({passwordHash: HASH, files})});
      await guest.says(/web-one login: /, BOOT_MS);
      expect(guest.serial()).toMatch(/GUEST-UP web-one boot=1 uptime=\d/);
      await guest.says(new RegExp(`GUEST-NET eth0 ${GUEST.address}/${GUEST.prefixLength} dhcp`), BOOT_MS);
      expect(
        await inside(guest, 'hostname; stat -c "%a %U %G" "/etc/app/secret file"; cat "/etc/app/secret file"; wc -c < /srv/large'),
      ).toBe('web-one\n640 nobody nogroup\nüber "x"\n40000');
      expect(await inside(guest, 'mount | grep " / "')).toContain(partition);
      // The root file system has the disk, not only the image.
      expect(Number(await inside(guest, 'df -k / | awk "NR == 2 {print \\$2}"'))).toBeGreaterThan((0.9 * GIB) / 1024);
      expect(await inside(guest, 'grep ^root: /etc/shadow')).toBe(`root:${HASH}:19700:0:99999:7:::`);
      await guest.pressPowerButton();
    },
    3 * BOOT_MS,
  );

  test(
    'what is written stays, also over a power cut, and the seed is applied once per instance',
    async () => {
      const address = {address: '10.9.0.15', prefixLength: 24, gateway: GUEST.gateway, nameservers: ['10.9.0.3']};
      const nics = [{macAddress: GUEST.mac.toUpperCase(), static: address}];
      const files = [{path: '/root/seeded', contentBase64: Buffer.from('first').toString('base64')}];
      const guest = await guestOf({image: tiny.path, bus: 'virtio', seed: seedOf({nics, files})});
      await guest.says(/GUEST-SEEDED/, BOOT_MS);
      expect(guest.serial()).toContain('GUEST-NET eth0 10.9.0.15/24 static');
      expect(
        await inside(guest, 'ip route | grep default; cat /etc/resolv.conf; echo mine > /root/seeded; echo here > /root/marker; sync'),
      ).toBe('default via 10.9.0.2 dev eth0 \nnameserver 10.9.0.3');
      const hostKey = await inside(guest, 'dropbearkey -y -f /etc/dropbear/key');
      await guest.kill();

      await guest.start();
      await guest.says(/web-one login: /, BOOT_MS);
      expect(guest.serial()).toContain('GUEST-UP web-one boot=2');
      expect(await inside(guest, 'cat /root/marker /root/seeded')).toBe('here\nmine');
      expect(await inside(guest, 'dropbearkey -y -f /etc/dropbear/key')).toBe(hostKey);
      await guest.kill();

      const other = seedOf({nics, files, displayName: 'second'});
      await guest.writeSeed({...other, 'meta-data': JSON.stringify({'instance-id': 'two'})});
      await guest.start();
      await guest.says(/GUEST-SEEDED second/, BOOT_MS);
      expect(await inside(guest, 'cat /root/seeded')).toBe('first');
    },
    4 * BOOT_MS,
  );

  test(
    'only who has a key gets in over SSH unless the seed allows passwords, and an empty password never does',
    async () => {
      const withoutPassword = await guestOf({image: tiny.path, bus: 'virtio', seed: seedOf({})});
      await withoutPassword.says(/login: /, BOOT_MS);
      expect(await withoutPassword.sshMethods()).toBe('publickey');
      await withoutPassword.kill();
      const withPassword = await guestOf({image: tiny.path, bus: 'virtio', seed: seedOf({passwordHash: HASH})});
      await withPassword.says(/login: /, BOOT_MS);
      expect(await withPassword.sshMethods()).toBe('publickey,password');
    },
    3 * BOOT_MS,
  );

  test(
    'a client’s own user data works too: block style with users and commands, or a script',
    async () => {
      const config = [
        '#cloud-config',
        'hostname: mine',
        'password: letmein',
        'users:',
        '  - name: ada',
        '    ssh_authorized_keys:',
        `      - ${publicKey}`,
        'write_files:',
        '- path: /etc/ada.conf',
        '  owner: ada:ada',
        '  defer: true',
        '  content: |',
        '    [ada]',
        '      key = "value"',
        'runcmd:',
        '  - [touch, "/run/a b"]',
        '  - echo "$(whoami) ran this" > /run/ran',
      ];
      const guest = await guestOf({image: tiny.path, bus: 'virtio', seed: seedOf({userData: `${config.join('\n')}\n`})});
      await guest.says(/GUEST-SEEDED mine/, BOOT_MS);
      expect(await inside(guest, 'whoami; stat -c %U /etc/ada.conf; cat /etc/ada.conf; ls /run/a*; cat /run/ran', 'ada')).toBe(
        'ada\nada\n[ada]\n  key = "value"\n/run/a b\nroot ran this',
      );
      await guest.kill();
      const script = '#!/bin/bash\nset -e\necho "$0 by $(id -un)" > /srv/script; exit 3\n';
      await guest.writeSeed({
        ...seedOf({userData: script}),
        'meta-data': JSON.stringify({'instance-id': 'two', 'local-hostname': 'scripted'}),
      });
      await guest.start();
      await guest.says(/GUEST-SEEDED scripted/, BOOT_MS);
      expect(guest.serial()).toContain('GUEST-FAILED the commands of the seed ended with 3');
      expect(await inside(guest, 'cat /srv/script', 'ada')).toContain('by root');
    },
    3 * BOOT_MS,
  );

  (debian === undefined ? test.skip : test)(
    'debian boots with the real cloud-init, from the same seed (needs make image-debian)',
    async () => {
      const files = [{path: '/etc/app/file', contentBase64: Buffer.from('x').toString('base64'), mode: '0600'}];
      const seed = seedOf({passwordHash: HASH, files});
      const guest = await guestOf({image: (debian as GuestImage).path, bus: 'virtio', memoryMiB: 512, diskBytes: GIB + 64 * MIB, seed});
      await guest.says(/web-one login: /, 4 * BOOT_MS);
      expect(guest.serial()).toContain(`GUEST-NET`);
      expect(
        await inside(
          guest,
          'hostname; stat -c %a /etc/app/file; cut -d : -f 1 /var/lib/cloud/instance/datasource; systemctl is-active qemu-guest-agent',
        ),
      ).toBe('web-one\n600\nDataSourceNoCloud\nactive');
      expect(Number(await inside(guest, 'df -k --output=size / | tail -1'))).toBeGreaterThan((0.9 * GIB) / 1024);
      await guest.pressPowerButton();
    },
    6 * BOOT_MS,
  );
});
