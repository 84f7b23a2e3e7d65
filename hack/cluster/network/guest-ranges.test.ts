import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {parseRange} from '../hypervisor/net/ipv4.ts';
import {ownIdentity} from '../process-identity.ts';
import {reachLine} from '../up/guest-reach.ts';
import {claimRange, objectionTo, releaseRanges, type RangeRouter} from './guest-ranges.ts';

/** Routes without a machine. */
class FakeRouter implements RangeRouter {
  readonly routes = new Set<string>();
  mayRoute = true;
  may() {
    return this.mayRoute;
  }
  destinations() {
    return ['127.0.0.0/8', '192.0.2.0/24', '10.245.0.0/24', ...this.routes];
  }
  add(range: string) {
    this.routes.add(range);
  }
  remove(range: string) {
    this.routes.delete(range);
  }
}

let folder: string;
let router: FakeRouter;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  router = new FakeRouter();
});
afterEach(() => rmSync(folder, {recursive: true}));

const GONE = {pid: 999_999_999, startTime: 'never'};
const claim = (dir: string, cidr = '10.100.0.0/16', by = ownIdentity()) => claimRange({dir, cidr, by}, router, folder);

describe('a range', () => {
  test.each([
    ['of nobody', '10.100.0.0/16', undefined],
    ['of the world', '8.8.8.0/24', 'its addresses may be somebody’s in the world'],
    ['of everything', '0.0.0.0/0', 'its addresses may be somebody’s in the world'],
    ['wider than a private one', '10.0.0.0/7', 'its addresses may be somebody’s in the world'],
    ['of this machine’s network', '192.0.2.128/25', 'this machine has a route to 192.0.2.0/24'],
    ['around another cluster’s addresses', '10.0.0.0/8', 'this machine has a route to 10.245.0.0/24'],
  ])('%s: %s', (_what, cidr, why) => {
    expect(objectionTo(parseRange(cidr) ?? {first: 0, prefixLength: 0}, new FakeRouter().destinations())).toBe(why);
  });
});

describe('clusters side by side', () => {
  test('the first has the range, however often it asks; the second is told who has it', async () => {
    expect(await claim('/a')).toEqual({routed: true});
    router.routes.clear(); // lost: somebody cleaned up
    expect(await claim('/a', '10.100.7.0/16')).toEqual({routed: true});
    expect(await claim('/b')).toEqual({routed: false, why: 'the cluster in /a has 10.100.0.0/16'});
    expect(await claim('/b', '10.100.8.0/24')).toEqual({routed: false, why: 'the cluster in /a has 10.100.0.0/16'});
    expect(await claim('/b', '10.101.0.0/16')).toEqual({routed: true});
    expect([...router.routes]).toEqual(['10.100.0.0/16', '10.101.0.0/16']);
  });
  test('of two at once one has it', async () => {
    const verdicts = await Promise.all([claim('/a'), claim('/b')]);
    expect(verdicts.filter(({routed}) => routed)).toHaveLength(1);
  });
  test('two of one cluster that overlap: the first', async () => {
    await claim('/a');
    expect(await claim('/a', '10.100.8.0/24')).toEqual({routed: false, why: 'it overlaps 10.100.0.0/16'});
  });
  test('one that ended without giving it back has lost it', async () => {
    await claim('/gone', '10.100.16.0/20', GONE);
    expect(await claim('/b')).toEqual({routed: true});
    expect([...router.routes]).toEqual(['10.100.0.0/16']);
  });
});

test('giving back takes away one’s own and those of clusters that ended', async () => {
  await claim('/a');
  await claim('/b', '10.101.0.0/16');
  await claim('/gone', '10.102.0.0/16', GONE);
  expect((await releaseRanges('/a', router, folder)).toSorted()).toEqual(['10.100.0.0/16', '10.102.0.0/16']);
  expect([...router.routes]).toEqual(['10.101.0.0/16']);
  expect(await claim('/b')).toEqual({routed: true});
});

test('without root, and for what is no IPv4 range, there is a reason', async () => {
  expect(await claim('/a', 'fd00::/64')).toEqual({routed: false, why: 'fd00::/64 is no range of IPv4 addresses'});
  router.mayRoute = false;
  expect(await claim('/a')).toEqual({routed: false, why: 'routes need root on Linux'});
  expect(await releaseRanges('/a', router, folder)).toEqual([]);
  expect(router.routes.size).toBe(0);
});

test('`up` says where servers answer', () => {
  expect(reachLine('10.100.0.0/16', {routed: true})).toContain('on their own addresses (ssh root@ADDRESS)');
  expect(reachLine('10.100.0.0/16', {routed: false, why: 'routes need root on Linux'})).toContain(
    'on loopback addresses (routes need root on Linux)',
  );
});
