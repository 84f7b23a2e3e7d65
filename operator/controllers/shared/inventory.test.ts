import {describe, expect, test} from '@jest/globals';
import type {Host} from '../../../crds/index.ts';
import {cellOf, hostOf, metadata, regionOf} from '../../testing/objects.ts';
import {cellStatus} from '../cell/status.ts';
import {regionStatus} from '../region/status.ts';
import {totals} from './totals.ts';

const counted = (name: string, ready: 'True' | 'False', servers = 1, more: Partial<Host> = {}): Host =>
  hostOf(
    name,
    {},
    {
      status: {
        servers,
        capacity: totals(8000, 1000),
        allocatable: totals(7500, 900),
        requested: totals(500, 100),
        free: totals(7000, 800),
        conditions: [
          {type: 'Ready', status: ready, reason: 'Ready', message: '', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1},
        ],
      },
      ...more,
    },
  );
const region = regionOf('r');
const seen = {region, cells: [], hosts: [], duplicate: undefined, nowMs: 0};

test('a region adds up its hosts, and a half core is no core', () => {
  const status = regionStatus({
    ...seen,
    cells: [cellOf('c1', 'r'), cellOf('c2', 'r')],
    hosts: [counted('a', 'True', 3), counted('b', 'True', 2), hostOf('new')],
  });
  expect(status).toMatchObject({
    cells: 2,
    hosts: 3,
    servers: 5,
    capacity: {cpuCores: 16, memoryMiB: 2000},
    allocatable: {cpuCores: 15},
    requested: {cpuCores: 1, cpuMilli: 1000},
    free: {cpuCores: 14, memoryMiB: 1600},
  });
});

test('what is being deleted no longer counts', () => {
  const going = {deletionTimestamp: '2026-01-01T00:00:00Z'};
  const status = regionStatus({
    ...seen,
    cells: [cellOf('c', 'r', going)],
    hosts: [counted('a', 'True', 3, {metadata: metadata('a', going)})],
  });
  expect(status).toMatchObject({cells: 0, hosts: 0, servers: 0, capacity: {cpuCores: 0}});
});

describe('Ready', () => {
  test.each<[string, readonly Host[], string, string]>([
    ['no hosts', [], 'True/Ready', 'no hosts yet'],
    ['all ready', [counted('a', 'True')], 'True/Ready', 'all hosts are ready'],
    ['some ready', [counted('a', 'True'), counted('b', 'False')], 'True/Ready', '1 of 2 hosts are ready; not: b'],
    [
      'none ready',
      ['e', 'd', 'c', 'b', 'a'].map((name) => counted(name, 'False')),
      'False/NotReady',
      'no host is ready: a, b, c and 2 more',
    ],
  ])('%s', (_row, hosts, expected, message) => {
    const ready = regionStatus({...seen, hosts}).conditions?.[0];
    expect([`${ready?.status}/${ready?.reason}`, ready?.message]).toEqual([expected, message]);
  });

  test('a cell without its region waits for it', () => {
    const status = cellStatus({cell: cellOf('c', 'gone'), region: undefined, hosts: [], duplicate: undefined, nowMs: 0});
    expect(status.conditions?.[0]).toMatchObject({status: 'False', reason: 'DependencyMissing', message: 'region gone does not exist'});
  });
});
