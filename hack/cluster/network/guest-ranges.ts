/**
 * Makes the public networks' addresses of real guests this machine's own, so that a server answers on its own address. With root only, and
 * for one cluster at a time: which cluster has a range is written down in the folder of slots. A range that could be anything else's on
 * this machine is left alone. Without a route, guests are reached on loopback addresses (hypervisor/net/forwards.ts).
 */
import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {readJson, writeAtomic} from '../files.ts';
import {overlap, parseRange, rangeText, type Range} from '../hypervisor/net/ipv4.ts';
import {lock} from '../lock.ts';
import type {ProcessIdentity} from '../process-identity.ts';
import {isClaimLive, slotFolder, type Claim} from './slots.ts';

const LOCK_DEADLINE_MS = 30_000;

/** Ranges whose addresses are nobody's in the world: no other may be taken over, or somebody out there could not be reached any more. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
];

/** What is done to the machine; routes.ts has the real one. */
export interface RangeRouter {
  /** Whether this program may add routes. */
  may(): boolean;
  /** All destinations that have a route, `default` left out. */
  destinations(): readonly string[];
  add(range: string): void;
  remove(range: string): void;
}

/** Whether a range is routed to this machine now; if not, why. */
export type RangeVerdict = {readonly routed: true} | {readonly routed: false; readonly why: string};

const no = (why: string): RangeVerdict => ({routed: false, why});

/** The claim of a cluster on a range, with the range. */
interface RangeClaim extends Claim {
  readonly range: string;
}

/** Why a range may not be taken over, whoever has it; undefined when it may. Pure. */
export function objectionTo(range: Range, destinations: readonly string[]): string | undefined {
  const within = PRIVATE.map(parseRange).some((one) => one !== undefined && one.prefixLength <= range.prefixLength && overlap(one, range));
  if (!within) return 'its addresses may be somebody’s in the world';
  const other = destinations.find((destination) => {
    const routed = parseRange(destination);
    return routed !== undefined && overlap(routed, range);
  });
  return other === undefined ? undefined : `this machine has a route to ${other}`;
}

/**
 * Routes a range to this machine for the cluster of `dir`, unless it is another cluster's or anything else's. Asking again is fine; a range
 * of a cluster that has ended is taken over.
 */
export async function claimRange(
  request: {readonly dir: string; readonly cidr: string; readonly by: ProcessIdentity},
  router: RangeRouter,
  folder = slotFolder(),
): Promise<RangeVerdict> {
  const range = parseRange(request.cidr);
  if (range === undefined) return no(`${request.cidr} is no range of IPv4 addresses`);
  if (!router.may()) return no('routes need root on Linux');
  const text = rangeText(range);
  return await withRanges(folder, () => {
    for (const claim of readRanges(folder)) {
      const theirs = parseRange(claim.range);
      if (theirs === undefined || !overlap(theirs, range)) continue;
      if (claim.dir === request.dir && claim.range === text) {
        router.add(text); // it is ours; the route may have been lost
        return {routed: true};
      }
      if (isClaimLive(claim))
        return no(claim.dir === request.dir ? `it overlaps ${claim.range}` : `the cluster in ${claim.dir} has ${claim.range}`);
      drop(claim, router, folder);
    }
    const objection = objectionTo(range, router.destinations());
    if (objection !== undefined) return no(objection);
    writeAtomic(fileOf(folder, text), JSON.stringify({dir: request.dir, by: request.by, range: text} satisfies RangeClaim));
    router.add(text);
    return {routed: true};
  });
}

/** Gives back all ranges of a cluster, and those of clusters that ended without doing so. Returns them. */
export async function releaseRanges(dir: string, router: RangeRouter, folder = slotFolder()): Promise<readonly string[]> {
  if (!router.may()) return [];
  return await withRanges(folder, () => {
    const claims = readRanges(folder).filter((claim) => claim.dir === dir || !isClaimLive(claim));
    for (const claim of claims) drop(claim, router, folder);
    return claims.map(({range}) => range);
  });
}

const fileOf = (folder: string, range: string): string => join(folder, `range-${range.replace('/', '_')}.json`);

function drop({range}: RangeClaim, router: RangeRouter, folder: string): void {
  router.remove(range);
  rmSync(fileOf(folder, range), {force: true});
}

function readRanges(folder: string): readonly RangeClaim[] {
  return readdirSync(folder).flatMap((file) => {
    const claim = /^range-.+\.json$/.test(file) ? (readJson(join(folder, file)) as RangeClaim | undefined) : undefined;
    return claim === undefined ? [] : [claim];
  });
}

async function withRanges<T>(folder: string, run: () => T): Promise<T> {
  const release = await lock(join(folder, 'lock'), {deadlineMs: LOCK_DEADLINE_MS});
  try {
    return run();
  } finally {
    release();
  }
}
