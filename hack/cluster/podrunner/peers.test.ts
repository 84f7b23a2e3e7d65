import {expect, test} from '@jest/globals';
import {hostsFile, serves, serviceNames} from './peers.ts';
import type {PeerReader} from './peers.ts';
import type {RunnerPod} from './pod.ts';
import {podOf} from './testing/pods.ts';

const ready = (status: 'True' | 'False'): Partial<RunnerPod> => ({status: {podIP: '10.1.1.9', conditions: [{type: 'Ready', status}]}});
const reader = (pods: readonly RunnerPod[]): PeerReader => ({
  service: (namespace, name) =>
    Promise.resolve(
      name === 'svc' ? {apiVersion: 'v1', kind: 'Service', metadata: {name, namespace}, spec: {selector: {app: 'a'}}} : undefined,
    ),
  pods: () => pods,
});
const self = {name: 'me', address: '10.1.1.1'};

test('names of Services are found in any text, each once', () =>
  expect(serviceNames(['https://cdi-upload-x.ns.svc:8443/v1', 'and a.b.svc, cdi-upload-x.ns.svc', 'no.service', 'x.svc'])).toEqual([
    {name: 'cdi-upload-x', namespace: 'ns'},
    {name: 'a', namespace: 'b'},
  ]));

test.each<[string, RunnerPod, boolean]>([
  ['a ready pod', podOf({}, ready('True')), true],
  ['one that is not ready', podOf({}, ready('False')), false],
  ['one that is being deleted', podOf({}, {...ready('True'), metadata: {name: 'p', deletionTimestamp: 't', labels: {app: 'a'}}}), false],
  ['another one', podOf({}, {...ready('True'), metadata: {name: 'p', labels: {app: 'b'}}}), false],
])('a Service has %s: %#', (_name, pod, expected) => expect(serves(pod, {app: 'a'})).toBe(expected));

test('a name leads to a ready pod', async () =>
  expect(await hostsFile(self, new Map([['URL', 'https://svc.ns.svc:1']]), reader([podOf({}, ready('True'))]))).toBe(
    '127.0.0.1 localhost\n10.1.1.1 me\n10.1.1.9 svc.ns.svc svc.ns.svc.cluster.local\n',
  ));

test.each([
  ['the Service', 'no.ns.svc', [], 'service "ns/no" not found'],
  ['its pod', 'svc.ns.svc', [podOf({}, ready('False'))], 'service "ns/svc" has no ready pod yet'],
])('waits for %s', async (_name, url, pods, message) =>
  expect(hostsFile(self, new Map([['URL', url]]), reader(pods))).rejects.toMatchObject({name: 'NotYet', message}),
);
