import {describe, expect, test} from '@jest/globals';
import type {ServerGroup} from '../../../crds/index.ts';
import {metadata} from '../../testing/objects.ts';
import {serverGroupStatus} from './controller.ts';

const groupOf = (members?: readonly string[]): ServerGroup =>
  ({
    apiVersion: 'basalt.dev/v1alpha1',
    kind: 'ServerGroup',
    metadata: metadata('g', {namespace: 'acct-demo'}),
    spec: {name: 'g', policy: 'AntiAffinity', ...(members === undefined ? {} : {members})},
  }) as ServerGroup;

describe('members are those that the group names and those that name it, each once', () => {
  test.each([
    ['nobody', undefined, [], 0, ''],
    ['named from both sides', ['a'], ['a', 'b'], 2, ''],
    ['named and not there yet', ['a', 'x', 'y'], [], 1, 'not there yet: x, y'],
  ])('%s', (_row, members, naming, count, message) => {
    const exists = (name: string): boolean => name === 'a' || name === 'b';
    const status = serverGroupStatus({group: groupOf(members), naming, exists, duplicate: undefined, nowMs: 0});
    expect([status.members, status.conditions?.[0]?.status, status.conditions?.[0]?.message]).toEqual([count, 'True', message]);
  });
});
