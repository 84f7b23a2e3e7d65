/** What keeps real guests within the bounds of a machine, and what is remembered of them. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {identify, isAlive} from '../../process-identity.ts';
import {createBootQueue} from './boot-queue.ts';
import {isShortEnough} from './command-line.ts';
import {adoptedState, diskErrorOf, endOf} from './events.ts';
import {OVERHEAD_MIB, refusalOf} from './limits.ts';
import {endAllGuests, readRecord, readRecords, writeRecord} from './state-file.ts';
import type {RunRecord} from './state-file.ts';
import {ensureSize} from './volumes.ts';

describe('limits', () => {
  const limits = {guests: 2, memoryMiB: 1000};
  test.each([
    [{guests: 0, memoryMiB: 0}, 128, undefined],
    [{guests: 1, memoryMiB: 1000 - 128 - OVERHEAD_MIB}, 128, undefined],
    [{guests: 1, memoryMiB: 1000 - 127 - OVERHEAD_MIB}, 128, /needs 224 MiB .* may take 223 MiB more/],
    [{guests: 2, memoryMiB: 0}, 1, /^2 real guests run .*HYPERVISOR_MAX_GUESTS=2/],
  ])('%j and %i MiB', (load, memoryMiB, expected) => {
    const refusal = refusalOf(load, memoryMiB, limits);
    if (expected === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toMatch(expected);
  });
});

describe('boot queue', () => {
  const forEver = new AbortController().signal;

  test('so many at a time, in the order in which they came', async () => {
    const queue = createBootQueue(2);
    const order: string[] = [];
    const enter = (name: string) =>
      queue.enter(forEver).then((turn) => {
        order.push(name);
        return turn;
      });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(enter) as [
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
    ];
    await Promise.all([a, b]);
    expect(order).toEqual(['a', 'b']);
    expect(queue.waiting).toBe(2);
    const first = await a;
    first.leave();
    first.leave(); // once is enough: a second time gives no second place
    await c;
    expect([order, queue.waiting]).toEqual([['a', 'b', 'c'], 1]);
    (await b).leave();
    await d;
  });

  test('who gives up leaves the line', async () => {
    const queue = createBootQueue(1);
    const turn = await queue.enter(forEver);
    const impatient = new AbortController();
    const given = queue.enter(impatient.signal);
    const patient = queue.enter(forEver);
    impatient.abort(new Error('killed'));
    await expect(given).rejects.toThrow('killed');
    turn.leave();
    (await patient).leave();
    await expect(queue.enter(impatient.signal)).rejects.toThrow('killed');
    (await queue.enter(forEver)).leave();
  });
});

test.each([
  ['shutdown', 'noise', {how: 'shutdown', message: 'the guest switched itself off'}],
  ['killed', '', {how: 'killed', message: 'killed'}],
  ['crashed', '', {how: 'crashed', message: 'the guest panicked'}],
  [undefined, 'no memory', {how: 'crashed', message: 'its qemu process ended: no memory'}],
  [undefined, '', {how: 'crashed', message: 'its qemu process ended'}],
] as const)('expected %s and last words %j', (expected, words, end) => expect(endOf(expected, words)).toEqual(end));

test.each([
  ['running', 'running'],
  ['paused', 'paused'],
  ['io-error', 'paused'], // it waits for room on the disk
  ['shutdown', 'shutdown'], // it switched itself off while nobody looked
  ['guest-panicked', 'crashed'],
  ['prelaunch', 'running'],
  [undefined, 'running'],
] as const)('a guest found as %s is %s', (status, state) => expect(adoptedState(status)).toBe(state));

test.each([
  [
    {
      action: 'stop',
      operation: 'write',
      nospace: true,
      reason: 'No space left on device',
      device: '',
      'node-name': 'drive-vda',
    },
    'disk vda could not be written: this machine has no room left',
  ],
  [
    {action: 'stop', operation: 'read', nospace: false, reason: 'Input/output error', device: ''},
    'a disk could not be read: Input/output error',
  ],
  [{action: 'report', operation: 'write', nospace: false, reason: 'Input/output error'}, undefined],
])('%j stops the guest because: %s', (data, expected) => expect(diskErrorOf(data, [{name: 'vdb'}, {name: 'vda'}])).toBe(expected));

test('sockets need short folders', () => {
  expect(isShortEnough('/home/me/basalt/.cluster/guests/u-1/s')).toBe(true);
  expect(isShortEnough(`/${'deep/'.repeat(20)}s`)).toBe(false);
});

describe('what is remembered', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'guests-'));
  });
  afterEach(() => rmSync(root, {recursive: true, force: true}));

  const record = (pid: number): RunRecord => ({
    version: 1,
    vmiUid: 'u1',
    key: 'ns/web',
    nodeName: 'bm-000',
    process: identify(pid) ?? {pid, startTime: 'gone'},
    sockets: join(root, 'sockets'),
    plan: {
      name: 'web',
      uuid: 'u',
      serial: undefined,
      memoryMiB: 64,
      vcpus: 1,
      ports: 4,
      machine: 'q35',
      graphics: true,
      disks: [],
      nics: [],
    },
    nics: {'0': {port: 4000}},
    ephemeral: join(root, 'u1.volumes'),
  });

  test('a record is read as it was written; what is none is none', () => {
    const folder = join(root, 'u1-bm-000');
    writeRecord(folder, record(process.pid));
    expect(readRecord(folder)).toEqual(JSON.parse(JSON.stringify(record(process.pid))));
    expect(readRecords(root)).toHaveLength(1);
    expect(readRecord(join(root, 'other'))).toBeUndefined();
    for (const text of ['', '{', '{"version":2}']) {
      writeFileSync(join(folder, 'state.json'), text);
      expect(readRecord(folder)).toBeUndefined();
    }
    expect(readRecords(join(root, 'nowhere'))).toEqual([]);
  });

  test('all are ended, their files go and their last words stay', async () => {
    const child = spawn('sleep', ['60'], {stdio: 'ignore'});
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const folder = join(root, 'u1-bm-000');
    const living = record(child.pid ?? 0);
    writeRecord(folder, living);
    mkdirSync(living.ephemeral);
    writeFileSync(join(folder, 'serial.log'), 'web login: ');
    writeRecord(join(root, 'u2-bm-001'), {...record(process.pid), key: 'ns/old', process: {pid: process.pid, startTime: 'another life'}});
    expect(endAllGuests(root)).toEqual(['ns/web']);
    await gone;
    expect(isAlive(living.process)).toBe(false);
    expect(existsSync(folder) || existsSync(living.ephemeral) || existsSync(join(root, 'u2-bm-001'))).toBe(false);
    expect(readFileSync(join(root, 'ended.logs/ns_web.log'), 'utf8')).toBe('web login: ');
  });

  test('a disk is made, grows, and never shrinks', () => {
    const file = join(root, 'disk.img');
    for (const [asked, size] of [
      [1 << 20, 1 << 20],
      [2 << 20, 2 << 20],
      [1 << 20, 2 << 20],
    ] as const) {
      ensureSize(file, asked);
      expect(statSync(file).size).toBe(size);
    }
    expect(statSync(file).blocks).toBe(0); // sparse
  });
});
