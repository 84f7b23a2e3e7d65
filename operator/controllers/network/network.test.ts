import {describe, expect, test} from '@jest/globals';
import {metadata, networkOf, uidOf} from '../../testing/objects.ts';
import type {Judgement} from '../shared/conditions.ts';
import {desiredAttachment} from './plan.ts';
import {networkStatus} from './status.ts';

const attachment: Judgement = {type: 'Ready', status: 'True', reason: 'Ready', message: ''};
const lease = (address: string, server = 's1') => ({address, macAddress: '02:00:00:00:00:01', server, namespace: 'acct-demo', index: 0});
const ranges = [{start: '10.0.0.10', end: '10.0.0.19'}];

describe('attachment', () => {
  test('the public network is untagged, has the network’s name, and the network controls it', () => {
    const made = desiredAttachment(networkOf('public'));
    expect(made.metadata).toEqual({
      name: 'public',
      namespace: 'basalt-system',
      labels: {'basalt.dev/network': 'public'},
      ownerReferences: [
        {
          apiVersion: 'basalt.dev/v1alpha1',
          kind: 'Network',
          name: 'public',
          uid: uidOf('public'),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    expect(JSON.parse(made.spec.config)).toEqual({
      cniVersion: '0.3.1',
      name: 'public',
      type: 'bridge',
      bridge: 'br-basalt',
      macspoofchk: true,
      disableContainerInterface: true,
      ipam: {},
    });
  });
  test('a VLAN is tagged', () => {
    expect(JSON.parse(desiredAttachment(networkOf('v', {type: 'Vlan', vlanId: 12})).spec.config)).toMatchObject({vlan: 12});
  });
});

describe('status', () => {
  const statusOf = (network = networkOf('public', {cidr: '10.0.0.0/24', ranges}), ready = attachment) =>
    networkStatus({network, attachment: ready, duplicate: undefined, nowMs: 0});

  test('counts what is left', () => {
    const leases = [lease('10.0.0.10'), lease('10.0.0.11', 's2')];
    expect(statusOf(networkOf('public', {cidr: '10.0.0.0/24', ranges}, {status: {leases}}))).toMatchObject({
      total: 10,
      free: 8,
      leases,
      nad: 'public',
    });
  });
  test('leases stay exactly as the allocator left them', () => {
    expect(statusOf()).not.toHaveProperty('leases');
    expect(statusOf(networkOf('public', {}, {status: {leases: []}})).leases).toEqual([]);
  });
  test('without its attachment it is not ready and names none', () => {
    const status = statusOf(undefined, {type: 'Ready', status: 'False', reason: 'AttachmentMissing', message: 'no Multus'});
    expect(status).not.toHaveProperty('nad');
    expect(status.conditions?.[0]).toMatchObject({status: 'False', reason: 'AttachmentMissing'});
  });
  test('deletion names the servers that hold it up', () => {
    const network = networkOf(
      'public',
      {},
      {
        metadata: metadata('public', {namespace: 'basalt-system', deletionTimestamp: '2026-01-01T00:00:00Z'}),
        status: {leases: [lease('10.0.0.10'), lease('10.0.0.11'), lease('10.0.0.12', 's2')]},
      },
    );
    expect(statusOf(network).conditions?.[1]).toMatchObject({
      type: 'Deleting',
      status: 'True',
      reason: 'LeasesRemain',
      message: 'addresses are still leased to acct-demo/s1, acct-demo/s2',
    });
  });
});
