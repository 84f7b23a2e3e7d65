import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {filesBelow, readJson, writeAtomic} from './files.ts';
import {lock, tryLock} from './lock.ts';
import {lastLines} from './logs.ts';
import {identify, ownIdentity} from './process-identity.ts';
import {findVolumeFolders} from './purge.ts';
import {readState, recordedProcesses, type ClusterState} from './state.ts';
import {ageText, row, table, withoutSupervisor} from './status.ts';
import {specHash, stopOrder} from './supervisor/process-spec.ts';
import {childEnvironment} from './supervisor/start-process.ts';
import {sourceHash, notReady} from './up/programs.ts';
import {mismatch} from './up/prepare.ts';
import {DeadlineError, forEachLimited, waitFor} from './waiting.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'basalt-test-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

describe('files', () => {
  test('a write is whole or not there, and only its owner’s', () => {
    writeAtomic(join(dir, 'a/b'), 'x');
    expect(filesBelow(dir)).toEqual(['a/b']);
  });
  test('JSON that is not there is undefined, bad JSON is named', () => {
    expect(readJson(join(dir, 'none'))).toBeUndefined();
    writeFileSync(join(dir, 'bad'), '{');
    expect(() => readJson(join(dir, 'bad'))).toThrow(/bad: not JSON/);
  });
});

describe('a lock between processes', () => {
  test('is held by one', () => {
    const release = tryLock(join(dir, 'lock'));
    expect(typeof release).toBe('function');
    expect(tryLock(join(dir, 'lock'))).toEqual(ownIdentity());
    (release as () => void)();
    expect(typeof tryLock(join(dir, 'lock'))).toBe('function');
    expect(filesBelow(dir)).toEqual(['lock']);
  });
  test('of a process that ended is taken over', () => {
    writeFileSync(join(dir, 'lock'), JSON.stringify({pid: 999_999_999, startTime: 'x'}));
    expect(typeof tryLock(join(dir, 'lock'))).toBe('function');
  });
  test('of another process with the same pid is taken over', () => {
    writeFileSync(join(dir, 'lock'), JSON.stringify({pid: process.pid, startTime: 'before'}));
    expect(typeof tryLock(join(dir, 'lock'))).toBe('function');
  });
  test('that stays held ends the wait at its deadline', async () => {
    tryLock(join(dir, 'lock'));
    const told: unknown[] = [];
    await expect(lock(join(dir, 'lock'), {deadlineMs: 1, onWait: (holder) => told.push(holder)})).rejects.toThrow(DeadlineError);
    expect(told).toEqual([identify(process.pid)]);
  });
});

describe('state', () => {
  const state = {
    version: 1,
    processes: {a: {status: 'running', pid: 5, startTime: 't', restarts: 0, stage: 2}, b: {status: 'waiting', restarts: 1, stage: 3}},
  };
  test('only processes with a pid are recorded ones', () => {
    expect(recordedProcesses(state as unknown as ClusterState)).toEqual([{name: 'a', stage: 2, identity: {pid: 5, startTime: 't'}}]);
  });
  test('of another version is refused', () => {
    writeFileSync(join(dir, 's'), JSON.stringify({version: 2}));
    expect(() => readState(join(dir, 's'))).toThrow('another version');
  });
  test('a running cluster of another kind is not brought up to date', () => {
    const running = {tier: 'full', light: false, programs: true, guests: 'qemu', bin: '/a'} as ClusterState;
    const wanted = {tier: 'full', light: false, programs: true, guests: 'qemu', bin: '/a'};
    expect(mismatch(running, wanted)).toBeUndefined();
    expect(mismatch(running, {...wanted, light: true})).toContain('light=false, asked for is light=true');
    expect(mismatch(running, {...wanted, bin: '/b'})).toContain('another version');
  });
});

describe('specs', () => {
  const spec = {name: 'a', command: '/a', args: ['x'], env: {A: '1', B: '2'}, stage: 1};
  test('hash: the order of the environment does not count, everything else does', () => {
    expect(specHash({...spec, env: {B: '2', A: '1'}})).toBe(specHash(spec));
    for (const change of [{args: ['y']}, {env: {A: '1'}}, {revision: 'r'}, {command: '/b'}])
      expect(specHash({...spec, ...change})).not.toBe(specHash(spec));
  });
  test('stop order: highest stage first, members together', () => {
    const items = [
      {stage: 0, n: 'etcd'},
      {stage: 2, n: 'kcm'},
      {stage: 2, n: 'sched'},
      {stage: 1, n: 'api'},
    ];
    expect(stopOrder(items).map((group) => group.map(({n}) => n))).toEqual([['kcm', 'sched'], ['api'], ['etcd']]);
  });
  test('children do not inherit what points at a cluster', () => {
    expect(childEnvironment({PATH: '/bin', KUBECONFIG: '/k', BASALT_LISTEN: 'x', NODE_OPTIONS: '--x'})).toEqual({PATH: '/bin'});
  });
});

test('a program’s hash changes with its sources, not with their tests', () => {
  mkdirSync(join(dir, 'p'));
  writeFileSync(join(dir, 'p/a.ts'), '1');
  const before = sourceHash(dir, ['p']);
  writeFileSync(join(dir, 'p/a.test.ts'), 'x');
  expect(sourceHash(dir, ['p'])).toBe(before);
  writeFileSync(join(dir, 'p/a.ts'), '2');
  expect(sourceHash(dir, ['p'])).not.toBe(before);
});

describe('readiness of an object', () => {
  const object = (conditions?: object[]) => ({
    apiVersion: 'v1',
    kind: 'Image',
    metadata: {name: 'tiny'},
    ...(conditions === undefined ? {} : {status: {conditions}}),
  });
  test('true', () => expect(notReady(object([{type: 'Ready', status: 'True'}]))).toBeUndefined());
  test('no condition', () => expect(notReady(object())).toBe('Image tiny: no condition Ready yet'));
  test('false says why', () =>
    expect(notReady(object([{type: 'Ready', status: 'False', reason: 'Importing', message: '40 %'}]))).toBe('Image tiny: Importing 40 %'));
});

describe('volume folders', () => {
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  const path = `/tmp/hostpath_pv/${uuid}`;
  test('are found in bytes, cut anywhere between two chunks, once each', async () => {
    const bytes = Buffer.from(`\x00\x12${path}\x1a..${path}`, 'latin1');
    for (const cut of [1, 10, 30, bytes.length - 3]) {
      expect([...(await findVolumeFolders(Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)])))]).toEqual([path]);
    }
  });
  test('what only looks like one is none', async () => {
    expect([...(await findVolumeFolders(Readable.from([Buffer.from('/tmp/hostpath_pv/../../etc /tmp/hostpath_pv/x')])))]).toEqual([]);
  });
});

describe('waiting', () => {
  test('ends with the last reason at the deadline', async () => {
    await expect(waitFor(() => Promise.resolve('still starting'), {what: 'etcd', deadlineMs: 5, intervalMs: 1})).rejects.toThrow(
      'etcd: not there after 0 s (still starting)',
    );
  });
  test('ends with the probe’s own error', async () => {
    await expect(waitFor(() => Promise.reject(new Error('broken')), {what: 'x'})).rejects.toThrow('broken');
  });
  test('many at a time, never more than the limit; the first error ends it', async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
    };
    await forEachLimited(Array(20).fill(0), 3, work);
    expect(most).toBe(3);
    const done: number[] = [];
    const failing = async (item: number): Promise<void> => {
      if (item === 1) throw new Error('one');
      done.push(item);
      await Promise.resolve();
    };
    await expect(forEachLimited([0, 1, 2, 3, 4, 5, 6, 7], 2, failing)).rejects.toThrow('one');
    expect(done.length).toBeLessThan(7);
  });
});

describe('status without a supervisor', () => {
  const running = (pid: number) => ({status: 'running', pid, startTime: 't', restarts: 0, stage: 1, startedAt: new Date(0).toISOString()});
  const state = {version: 1, processes: {etcd: running(5), kwok: running(6)}} as unknown as ClusterState;
  test('names what is left and what to do', () => {
    const text = withoutSupervisor('/c', state, ({pid}) => pid === 5, 1000).join('\n');
    expect(text).toContain('The supervisor of the cluster in /c is gone, 1 process left');
    expect(text).toMatch(/`make up` or `make down`/);
    expect(text).toMatch(/^etcd +running +5 +1s/m);
    expect(text).not.toContain('kwok');
  });
  test.each([
    ['never up', undefined],
    ['all ended', state],
  ])('%s', (_what, before) => expect(withoutSupervisor('/c', before, () => false, 0)).toEqual(['No cluster runs in /c.']));
});

describe('for people', () => {
  test.each([
    [5_000, '5s'],
    [125_000, '2m5s'],
    [7_380_000, '2h3m'],
    [-1, '0s'],
  ])('%d ms is %s', (ms, text) => expect(ageText(ms)).toBe(text));
  test('a process that is recorded as running but is not is gone', () => {
    const process = {
      status: 'running',
      pid: 1,
      startTime: 't',
      restarts: 2,
      stage: 1,
      startedAt: new Date(0).toISOString(),
      lastExit: {code: 3, at: ''},
    } as const;
    expect(row('a', process, false, 1000)).toEqual(['a', 'gone', '', '', '2', 'exit 3']);
    expect(row('a', process, true, 1000)).toEqual(['a', 'running', '1', '1s', '2', 'exit 3']);
  });
  test('columns', () =>
    expect(
      table([
        ['A', 'B'],
        ['long', 'x'],
      ]),
    ).toBe('A     B\nlong  x'));
  test.each([
    ['a\nb\nc\n', 2, ['b', 'c']],
    ['a', 5, ['a']],
    ['', 3, []],
  ])('last lines of %j', (text, count, lines) => expect(lastLines(text, count)).toEqual(lines));
});
