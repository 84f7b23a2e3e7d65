import {describe, expect, test} from '@jest/globals';
import {parse} from 'yaml';
import {buildCloudInitSecret, buildNetworkData, buildUserData, hostNameOf, permissionsOf} from './cloud-init.ts';
import type {Seed} from './cloud-init.ts';
import {OWNER, UUID} from './testing.ts';

const SEED: Seed = {
  server: 'web',
  namespace: 'acct-demo',
  uuid: UUID,
  owner: OWNER,
  displayName: 'My Web',
  sshKeys: [],
  files: [],
  nics: [],
};
const userData = (seed: Partial<Seed>) => parse(buildUserData({...SEED, ...seed})) as Record<string, unknown>;

test.each([
  ['My Web', 'my-web'],
  ['  ___ ', 'web'],
  ['ü9', '9'],
  ['-a-', 'a'],
  ['x'.repeat(70), 'x'.repeat(63)],
  [`${'y'.repeat(62)} z`, 'y'.repeat(62)],
])('host name of %j is %s', (displayName, expected) => {
  expect(hostNameOf(displayName, 'web')).toBe(expected);
});

test.each([
  [undefined, '0644'],
  ['0600', '0600'],
  ['600', '0600'],
  ['0o755', '0755'],
  ['4755', '04755'],
  ['7', '0007'],
  ['777777', '0644'],
  ['9', '0644'],
  ['rw', '0644'],
])('permissions %j are %s', (mode, expected) => {
  expect(permissionsOf(mode)).toBe(expected);
});

describe('user data', () => {
  test('is a cloud-config with the host name and a locked root without password', () => {
    expect(buildUserData(SEED).startsWith('#cloud-config\n')).toBe(true);
    const config = userData({});
    expect(config['hostname']).toBe('my-web');
    expect(config['users']).toEqual(['default', {name: 'root', lock_passwd: true}]);
    for (const absent of ['chpasswd', 'ssh_pwauth', 'write_files', 'ssh_authorized_keys']) expect(config).not.toHaveProperty(absent);
  });

  test('keys go to the default user and to root', () => {
    const sshKeys = ['ssh-ed25519 AAAA a', 'ssh-rsa BBBB b'];
    const config = userData({sshKeys});
    expect(config['ssh_authorized_keys']).toEqual(sshKeys);
    expect(config['users']).toEqual(['default', {name: 'root', lock_passwd: true, ssh_authorized_keys: sshKeys}]);
  });

  test('a password is there as a hash only, and opens password login', () => {
    const config = userData({passwordHash: '$6$salt$hash'});
    expect(config['users']).toEqual(['default', {name: 'root', lock_passwd: false, hashed_passwd: '$6$salt$hash'}]);
    expect(config['ssh_pwauth']).toBe(true);
    expect(config['chpasswd']).toEqual({expire: false, users: [{name: 'root', password: '$6$salt$hash', type: 'hash'}]});
  });

  test('files: base64 on one line, octal mode as text, owner, and late where a user must exist first', () => {
    const contentBase64 = Buffer.alloc(10_000, 'x').toString('base64');
    const files = [
      {path: '/etc/motd', contentBase64},
      {path: '/home/u/k', contentBase64: 'aGk=', owner: 'u', group: 'g', mode: '0600'},
      {path: '/root/r', contentBase64: 'aGk=', owner: 'root'},
    ];
    const config = userData({files});
    expect(config['write_files']).toEqual([
      {path: '/etc/motd', encoding: 'b64', content: contentBase64, permissions: '0644'},
      {path: '/home/u/k', encoding: 'b64', content: 'aGk=', permissions: '0600', owner: 'u:g', defer: true},
      {path: '/root/r', encoding: 'b64', content: 'aGk=', permissions: '0644', owner: 'root:root'},
    ]);
    expect(buildUserData({...SEED, files})).toContain(`content: ${contentBase64}\n`);
  });

  test("the client's own user data is taken as it is", () => {
    expect(buildUserData({...SEED, userData: '#!/bin/sh\nid\n', passwordHash: 'x'})).toBe('#!/bin/sh\nid\n');
  });
});

test('network data: DHCP or a static address, each NIC by its MAC', () => {
  const text = buildNetworkData([
    {macAddress: '52:54:00:00:00:01'},
    {macAddress: '52:54:00:00:00:02', static: {address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', nameservers: ['10.0.0.2']}},
    {macAddress: '52:54:00:00:00:03', static: {address: '10.1.0.5', prefixLength: 16}},
  ]);
  expect(parse(text)).toEqual({
    version: 2,
    ethernets: {
      nic0: {match: {macaddress: '52:54:00:00:00:01'}, dhcp4: true},
      nic1: {
        match: {macaddress: '52:54:00:00:00:02'},
        addresses: ['10.0.0.5/24'],
        routes: [{to: 'default', via: '10.0.0.1'}],
        nameservers: {addresses: ['10.0.0.2']},
      },
      nic2: {match: {macaddress: '52:54:00:00:00:03'}, addresses: ['10.1.0.5/16']},
    },
  });
});

test('network data: of several NICs with a gateway the first has the default route', () => {
  const nic = (last: number) => ({
    macAddress: `52:54:00:00:00:0${last}`,
    static: {address: `10.0.${last}.5`, prefixLength: 24, gateway: `10.0.${last}.1`},
  });
  const {ethernets} = parse(buildNetworkData([{macAddress: '52:54:00:00:00:09'}, nic(1), nic(2)])) as {ethernets: Record<string, object>};
  expect(Object.values(ethernets).map((each) => 'routes' in each)).toEqual([false, true, false]);
});

test('the Secret holds both under the names that KubeVirt reads, owned by the server', () => {
  const secret = buildCloudInitSecret(SEED);
  expect(secret.metadata).toEqual({
    name: 'web-cloudinit',
    namespace: 'acct-demo',
    labels: {'basalt.dev/server': UUID},
    ownerReferences: [OWNER],
  });
  expect(Object.keys(secret.data ?? {})).toEqual(['userdata', 'networkdata']);
  expect(Buffer.from(secret.data?.['userdata'] ?? '', 'base64').toString()).toBe(buildUserData(SEED));
});
