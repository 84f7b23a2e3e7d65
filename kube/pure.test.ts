/** The small pure parts of `kube/`, each a table. */
import {describe, expect, test} from '@jest/globals';
import {ApiError} from './errors.ts';
import {canonicalJson, containsRecord, hashJson} from './json-hash.ts';
import {ObjectCache} from './cache.ts';
import {microTime} from './micro-time.ts';
import {keyOf, refOf} from './objects.ts';
import type {KubeObject} from './objects.ts';
import {collectionPath, listQuery, objectPath, writeQuery} from './paths.ts';
import {reactionTo} from './reflector-policy.ts';
import {compareVersions, reaches} from './resource-version.ts';
import {backoffMs, DEFAULT_RETRY, retryDelay} from './retry.ts';
import {errorOfAnswer, errorOfConnection, errorOfEvent, neverSent, retryAfterOf} from './status-error.ts';
import {anyType, LEASE, NAMESPACE, POD} from './types.ts';

const call = {verb: 'get', resource: 'pods'};
const api = (status: number, extra: {reason?: string; retryAfterMs?: number; cause?: unknown} = {}): ApiError =>
  new ApiError({...call, status, reason: 'Unknown', message: 'm', ...extra});

describe('paths', () => {
  test.each([
    [collectionPath(POD), '/api/v1/pods'],
    [collectionPath(POD, 'n'), '/api/v1/namespaces/n/pods'],
    [collectionPath(NAMESPACE, 'n'), '/api/v1/namespaces'],
    [objectPath(LEASE, {namespace: 'n', name: 'l'}), '/apis/coordination.k8s.io/v1/namespaces/n/leases/l'],
    [objectPath(NAMESPACE, {name: 'a/b'}, 'status'), '/api/v1/namespaces/a%2Fb/status'],
    [
      collectionPath(anyType('kubevirt.io/v1', 'VirtualMachine', 'virtualmachines', true), 'n'),
      '/apis/kubevirt.io/v1/namespaces/n/virtualmachines',
    ],
    [listQuery({labelSelector: 'a in (b,c)', limit: 5}), '?labelSelector=a%20in%20(b%2Cc)&limit=5'],
    [listQuery({}), ''],
    [writeQuery({}, 'me'), '?fieldManager=me'],
    [writeQuery({fieldManager: 'you', dryRun: true, force: true}, 'me'), '?fieldManager=you&dryRun=All&force=true'],
  ])('%s', (made, expected) => {
    expect(made).toBe(expected);
  });

  test.each([['n/a'], ['a']])('a key %s and its reference', (key) => {
    expect(keyOf(refOf(key))).toBe(key);
  });
});

describe('resource versions', () => {
  test.each([
    ['5', '5', 0],
    ['9', '10', -1],
    ['100', '99', 1],
    ['18446744073709551616', '18446744073709551615', 1],
    ['abc', 'abc', 0],
    ['abc', '5', undefined],
    ['05', '6', undefined],
    ['', '6', undefined],
  ])('%s against %s', (a, b, expected) => {
    const order = compareVersions(a, b);
    expect(order === undefined ? undefined : Math.sign(order)).toBe(expected);
  });

  test('what cannot be compared is not reached', () => {
    expect([reaches(undefined, '1'), reaches('x', '1'), reaches('2', '1'), reaches('x', 'x')]).toEqual([false, false, true, true]);
  });
});

describe('retry', () => {
  const never = (): number => 0;
  test.each([
    ['429 without a time', api(429), false, 50],
    ['429 with a time', api(429, {retryAfterMs: 700}), false, 700],
    ['429 with too long a time', api(429, {retryAfterMs: 60_000}), false, undefined],
    ['503 with a time', api(503, {retryAfterMs: 1_000}), false, 1000],
    ['503 without', api(503), true, undefined],
    ['500', api(500), true, undefined],
    ['409', api(409), true, undefined],
    ['a lost connection, idempotent', api(0, {reason: 'ConnectionError'}), true, 50],
    ['a lost connection, not idempotent', api(0, {reason: 'ConnectionError'}), false, undefined],
    [
      'a refused connection, not idempotent',
      api(0, {reason: 'ConnectionError', cause: Object.assign(new Error('x'), {code: 'ECONNREFUSED'})}),
      false,
      50,
    ],
    ['a deadline', api(0, {reason: 'DeadlineExceeded'}), true, undefined],
  ])('%s', (_name, error, idempotent, expected) => {
    expect(retryDelay(error, idempotent, 0, DEFAULT_RETRY, never)?.delayMs).toBe(expected);
    expect(retryDelay(error, idempotent, DEFAULT_RETRY.maxRetries, DEFAULT_RETRY, never)).toBeUndefined();
  });

  test('backoff doubles to its cap, between half and whole', () => {
    const policy = {baseMs: 100, capMs: 1000};
    expect([0, 1, 2, 3, 4, 50].map((n) => backoffMs(n, policy, () => 0))).toEqual([50, 100, 200, 400, 500, 500]);
    expect(backoffMs(2, policy, () => 0.999999)).toBeCloseTo(400, 1);
  });
});

describe('errors', () => {
  test.each([
    ['7', 7000],
    ['0.5', 500],
    ['Thu, 01 Jan 2026 00:00:05 GMT', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Retry-After %s', (header, expected) => {
    expect(retryAfterOf(header)).toBe(expected);
  });

  test('a Status is parsed, its causes and time included', () => {
    const body = JSON.stringify({
      kind: 'Status',
      reason: 'Invalid',
      message: 'bad',
      details: {causes: [{field: 'spec.x', message: 'no'}], retryAfterSeconds: 3},
      code: 422,
    });
    const error = errorOfAnswer(call, 422, {}, body);
    expect([error.reason, error.message, error.causes[0]?.field, error.retryAfterMs]).toEqual(['Invalid', 'bad', 'spec.x', 3000]);
    expect(errorOfAnswer(call, 429, {'retry-after': '1'}, body).retryAfterMs).toBe(1000);
  });

  test('the code of a connection error is found under aggregates and causes', () => {
    const refused = Object.assign(new Error('x'), {code: 'ECONNREFUSED'});
    expect(neverSent(errorOfConnection(call, new AggregateError([refused])))).toBe(true);
    expect(neverSent(errorOfConnection(call, new Error('outer', {cause: refused})))).toBe(true);
    expect(neverSent(errorOfConnection(call, Object.assign(new Error('x'), {code: 'ECONNRESET'})))).toBe(false);
    expect(neverSent(errorOfConnection(call, 'text'))).toBe(false);
  });
});

describe('what a reflector does about a failure', () => {
  test.each([
    [api(410), {reason: 'gone', relist: true}],
    [errorOfEvent(call, {code: 410, reason: 'Expired'}), {reason: 'gone', relist: true}],
    [errorOfEvent(call, {code: 500, reason: 'InternalError'}), {reason: 'error_event', relist: true}],
    [errorOfEvent(call, 'nonsense'), {reason: 'error_event', relist: true}],
    [api(0, {reason: 'MalformedEvent'}), {reason: 'malformed', relist: true}],
    [api(0, {reason: 'IdleTimeout'}), {reason: 'idle', relist: false}],
    [api(0, {reason: 'ConnectionError'}), {reason: 'connection', relist: false}],
    [api(429, {retryAfterMs: 9}), {reason: 'throttled', relist: false, waitMs: 9}],
    [api(503), {reason: 'throttled', relist: false}],
    [api(500), {reason: 'server_error', relist: false}],
    [api(403), {reason: 'forbidden', relist: false, problem: 'm'}],
    [api(401), {reason: 'forbidden', relist: false, problem: 'm'}],
    [api(404), {reason: 'not_served', relist: true, problem: 'pods: not served; is its CRD installed?'}],
    [new TypeError('ours'), {reason: 'internal', relist: true}],
  ])('%s', (error, expected) => {
    expect(reactionTo(error)).toEqual(expected);
  });
});

describe('hashes', () => {
  test('do not depend on the order of keys, nor on what is undefined', () => {
    expect(hashJson({a: 1, b: {c: [1, {d: 2, e: 3}]}})).toBe(hashJson({b: {c: [1, {e: 3, d: 2}]}, a: 1, x: undefined}));
    expect(hashJson({a: [1, 2]})).not.toBe(hashJson({a: [2, 1]}));
    expect(canonicalJson({b: null, a: 'x"', c: [undefined]})).toBe('{"a":"x\\"","b":null,"c":[null]}');
  });

  test('a record contains a part of it', () => {
    expect(containsRecord({a: '1', b: '2'}, {a: '1'})).toBe(true);
    expect(containsRecord({a: '1'}, {a: '2'})).toBe(false);
    expect(containsRecord(undefined, {a: '1'})).toBe(false);
    expect(containsRecord(undefined, undefined)).toBe(true);
  });
});

test('an index function that throws leaves the cache as it was', () => {
  const object = (name: string): KubeObject => ({apiVersion: 'v1', kind: 'K', metadata: {name}});
  const cache = new ObjectCache<KubeObject>({
    bad: (each) => {
      if (each.metadata.name === 'bad') throw new Error('no');
      return ['x'];
    },
  });
  cache.set(object('good'));
  expect(() => cache.set(object('bad'))).toThrow('no');
  expect([cache.size, cache.byIndex('bad', 'x').length]).toEqual([1, 1]);
  cache.delete('good');
  expect([cache.size, cache.byIndex('bad', 'x').length]).toEqual([0, 0]);
});

test('MicroTime has six digits', () => {
  expect(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6))).toBe('2026-01-02T03:04:05.006000Z');
});
