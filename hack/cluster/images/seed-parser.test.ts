import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {parse, stringify} from 'yaml';
import {buildNetworkData, buildUserData, type Seed} from '../../../operator/kubevirt/cloud-init.ts';
import {HERE} from '../paths.ts';

// The parser in the guest runs in busybox's awk and in no other. Where there is none these tests are skipped, not passed.
const busybox = spawnSync('busybox', ['awk', 'BEGIN {exit 7}']).status === 7;
const when = busybox ? test : test.skip;

/** What the guest makes of a document: folders and files, here as objects and strings. */
function layOut(document: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  try {
    const script = join(HERE, 'images/tiny/root/usr/lib/seed/yaml.awk');
    const result = spawnSync('busybox', ['awk', '-v', `folder=${folder}/d`, '-f', script], {input: document, encoding: 'utf8'});
    expect(result).toMatchObject({status: 0, stderr: ''});
    return readTree(join(folder, 'd'));
  } finally {
    rmSync(folder, {recursive: true});
  }
}

function readTree(path: string): unknown {
  if (statSync(path).isFile()) return readFileSync(path, 'utf8');
  return Object.fromEntries(readdirSync(path).map((name) => [name, readTree(join(path, name))]));
}

/** The same of a value: lists by number, scalars as text; empty lists and mappings leave nothing. */
function asTree(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value === null ? '' : String(value as string | number | boolean);
  const entries = Object.entries(value).map(([key, inner]) => [Array.isArray(value) ? key.padStart(4, '0') : key, asTree(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => typeof inner === 'string' || Object.keys(inner as object).length > 0));
}

const seed: Seed = {
  server: 'web',
  namespace: 'acct-demo',
  uuid: '00000000-0000-4000-8000-000000000001',
  owner: {apiVersion: 'v1', kind: 'Server', name: 'web', uid: 'u'},
  displayName: '123',
  sshKeys: ['ssh-ed25519 AAAA me@here', 'ssh-rsa BBBB a comment: with # signs'],
  passwordHash: '$6$ab.c/d$e/f.gh',
  files: [
    {path: '/etc/motd', contentBase64: Buffer.from('hello').toString('base64'), mode: '0600', owner: 'www', group: 'www'},
    {path: '/srv/a b: c', contentBase64: Buffer.alloc(9000, 'x').toString('base64')},
    {path: '/empty', contentBase64: ''},
  ],
  nics: [
    {macAddress: '52:54:00:00:00:01'},
    {
      macAddress: '52:54:00:12:34:56',
      static: {address: '10.0.0.5', prefixLength: 24, gateway: '10.0.0.1', nameservers: ['9.9.9.9', '1.1.1.1']},
    },
  ],
};

const HARD = `
#cloud-config
# comment
write_files:
- path: /a     # trailing
  content: |
    one
      two: three

    - four
- {path: /b, content: "x\\ty \\"q\\" \\u00e9\\\\", list: [1, 'it''s', [a, {b: c}]], empty: [], none: null}
runcmd:
  - [ls, -l, "/a b"]
  - echo plain > /x
  - >-
    folded
    text
  -
    - deep
    - er
  - |+
    kept

"quoted key": 'single ''quotes'' # no comment'
'q2' : ~
multi: begins here
  and ends there
flow: {a: 1,
  b: [2,
  3]}
sequence_at_the_left:
- a
-   b: 1
    c: 2
`;

describe('the guest reads documents as a YAML parser does', () => {
  when.each([
    ['what the operator writes', buildUserData(seed)],
    ['a seed with nothing in it', buildUserData({...seed, displayName: 'a', sshKeys: [], files: [], passwordHash: undefined as never})],
    ['network data', buildNetworkData(seed.nics)],
    ['network data without cards', buildNetworkData([])],
    [
      'meta-data as JSON',
      JSON.stringify({'instance-id': 'web.acct', 'local-hostname': 'web', 'public-keys': {'0': 'a "b" c'}, n: [true, 2]}),
    ],
    ['JSON over several lines', JSON.stringify({a: {b: ['c, d', {e: 'f: g'}]}}, undefined, 2)],
    ['people’s own style', HARD],
    [
      'every kind of scalar that a writer quotes',
      stringify({v: ['', ' a ', '- x', '#', '@a', '1e3', 'yes: no', "it's", 'a\nb', '\t', '{', '👍é']}),
    ],
  ])('%s', (_what, document) => {
    expect(layOut(document)).toEqual(asTree(parse(document)));
  });

  when('carriage returns at ends of lines are no part of values', () =>
    expect(layOut('a: b\r\nc:\r\n  - d\r\n')).toEqual({a: 'b', c: {'0000': 'd'}}),
  );
  when('a key with a slash is one name', () => expect(layOut('a/b: c')).toEqual({'a|b': 'c'}));
  when('a document without a mapping leaves nothing', () => expect([layOut(''), layOut('just text')]).toEqual([{}, {}]));
});
