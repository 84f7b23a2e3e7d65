/** Group commit of leases against the fake API server: shared writes, conflicts, and what callers see. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {NETWORK} from '../../crds/index.ts';
import type {Network} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import {startFakeApiServer} from '../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {FakeInformer} from '../testing/fake-informer.ts';
import {LeaseBook} from './lease-book.ts';
import type {NicRequest} from './lease-book.ts';

const KEY = 'basalt-system/public';
const REF = {namespace: 'basalt-system', name: 'public'};
let server: FakeApiServer;
let client: KubeClient;
let networks: FakeInformer<Network>;
let book: LeaseBook;
const signal = new AbortController().signal;

beforeEach(async () => {
  server = await startFakeApiServer();
  client = server.client();
  networks = new FakeInformer<Network>();
  networks.set(
    server.put(NETWORK, {
      apiVersion: 'basalt.dev/v1alpha1',
      kind: 'Network',
      metadata: {...REF},
      spec: {name: 'public', type: 'Public', cidr: '10.0.0.0/16', ranges: [{start: '10.0.0.10', end: '10.0.1.9'}]},
      status: {total: 256, free: 256, nad: 'public'},
    } as Network),
  );
  book = new LeaseBook({client, networks, macInUse: () => false});
});
afterEach(() => server.close());

const request = (name: string, more: Partial<NicRequest> = {}): NicRequest => ({
  network: KEY,
  namespace: 'ns',
  server: name,
  uuid: `uuid-${name}`,
  index: 0,
  addressing: 'Auto',
  ...more,
});
const stored = () => server.object(NETWORK, REF)?.status;

test('a hundred at once share a few writes, and each has an address of its own', async () => {
  const outcomes = await Promise.all(Array.from({length: 100}, (_, index) => book.ensure(request(`s${index}`), signal)));
  const addresses = outcomes.map((outcome) => (outcome?.kind === 'granted' ? outcome.address : undefined));
  expect(new Set(addresses).size).toBe(100);
  expect(stored()?.leases).toHaveLength(100);
  expect(stored()).toMatchObject({total: 256, free: 156, nad: 'public'});
  expect(server.writes).toBeLessThanOrEqual(2);
});

test('what is leased already is answered without a word to the server', async () => {
  const first = await book.ensure(request('a'), signal);
  const before = server.requests.length;
  expect(await book.ensure(request('a'), signal)).toEqual(first);
  expect(server.requests).toHaveLength(before);
});

test('a conflict is decided again on the newest state', async () => {
  // Somebody leased the address that would be next; our cache does not know.
  const lease = {address: '10.0.0.10', macAddress: '52:54:00:00:00:01', server: 'x', namespace: 'ns', index: 0};
  server.put(NETWORK, {...(server.object(NETWORK, REF) as Network), status: {...stored(), leases: [lease]}});
  expect(await book.ensure(request('a'), signal)).toMatchObject({address: '10.0.0.11'});
  expect(stored()?.leases).toHaveLength(2);
});

test('a refusal is an answer for the one it concerns; the others get their addresses', async () => {
  const [good, bad] = await Promise.all([
    book.ensure(request('a'), signal),
    book.ensure(request('b', {addressing: 'Static', address: '192.168.0.1'}), signal),
  ]);
  expect(good).toMatchObject({kind: 'granted'});
  expect(bad).toMatchObject({kind: 'refused', reason: 'AddressOutsideNetwork'});
});

test('a network that does not exist is no error', async () => {
  expect(await book.ensure(request('a', {network: 'ns/none'}), signal)).toBeUndefined();
});

describe('release', () => {
  test('gives back what is not kept, and nothing of others', async () => {
    await Promise.all([
      book.ensure(request('a'), signal),
      book.ensure(request('a', {index: 1}), signal),
      book.ensure(request('b'), signal),
    ]);
    await book.release({namespace: 'ns', name: 'a'}, signal, (_network, {index}) => index === 1);
    expect(
      stored()
        ?.leases?.map(({server: name, index}) => `${name}/${index}`)
        .toSorted(),
    ).toEqual(['a/1', 'b/0']);
    expect(book.leasesOf('ns', 'a')).toHaveLength(1);
  });

  test('writes nothing where there is nothing', async () => {
    await book.release({namespace: 'ns', name: 'nobody'}, signal);
    expect(server.writes).toBe(0);
  });
});

test('an error reaches everybody who shared the write, and the next write starts afresh', async () => {
  server.remove(NETWORK, REF);
  const results = await Promise.allSettled([book.ensure(request('a'), signal), book.ensure(request('b'), signal)]);
  expect(results.map(({status}) => status)).toEqual(['rejected', 'rejected']);
  networks.set(server.put(NETWORK, {...(networks.get(KEY) as Network)}));
  expect(await book.ensure(request('a'), signal)).toMatchObject({kind: 'granted'});
});

test('one caller’s deadline does not fail the write that others share', async () => {
  const impatient = new AbortController();
  // The first write is under way, so the next two share one.
  const all = Promise.allSettled([
    book.ensure(request('z'), signal),
    book.ensure(request('a'), impatient.signal),
    book.ensure(request('b'), signal),
  ]);
  impatient.abort(new Error('too late'));
  const [, , patient] = await all;
  expect(patient).toMatchObject({status: 'fulfilled', value: {kind: 'granted'}});
});
