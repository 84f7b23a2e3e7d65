/**
 * Slots: the numbers of the clusters of this machine, one file each in a shared folder. A slot decides a cluster's addresses and its block
 * of ports, so two clusters cannot collide even when they start together.
 */
import {mkdirSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {readJson, writeAtomic} from '../files.ts';
import {lock} from '../lock.ts';
import {clusterPaths} from '../paths.ts';
import {isAlive, type ProcessIdentity} from '../process-identity.ts';
import type {ClusterState} from '../state.ts';

const SLOTS = 256;
const LOCK_DEADLINE_MS = 30_000;

/** Who holds a slot: a cluster's folder. */
export interface Claim {
  readonly dir: string;
  /** The `up` that claimed it: it holds the slot until its supervisor runs. */
  readonly by: ProcessIdentity;
}

/** The folder of the claims of this user. */
export function slotFolder(uid = process.getuid?.() ?? 0): string {
  return join(tmpdir(), `basalt-clusters-${uid}`);
}

/** True while the claim's `up` or its cluster's supervisor lives. */
export function isClaimLive(claim: Claim): boolean {
  return isAlive(claim.by) || isAlive((readJson(clusterPaths(claim.dir).state) as Partial<ClusterState> | undefined)?.supervisor);
}

/**
 * The slots a cluster may have, best first: the one it had before, then those that no living cluster has.
 */
export function slotsInOrder(
  dir: string,
  previous: number | undefined,
  claims: ReadonlyMap<number, Claim>,
  live: (claim: Claim) => boolean,
): number[] {
  const isFree = (slot: number): boolean => {
    const claim = claims.get(slot);
    return claim === undefined || claim.dir === dir || !live(claim);
  };
  const all = Array.from({length: SLOTS}, (_, slot) => slot).filter(isFree);
  return previous !== undefined && isFree(previous) ? [previous, ...all.filter((slot) => slot !== previous)] : all;
}

/** Reads all claims. */
export function readClaims(folder = slotFolder()): Map<number, Claim> {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const claims = new Map<number, Claim>();
  for (const file of readdirSync(folder)) {
    const match = /^slot-(\d+)\.json$/.exec(file);
    const claim = match === null ? undefined : (readJson(join(folder, file)) as Claim | undefined);
    if (claim !== undefined) claims.set(Number(match?.[1]), claim);
  }
  return claims;
}

/**
 * Claims a slot whose addresses nobody uses (`isUsable` looks: something that is no cluster of ours may listen there). `lost` are the
 * slots of clusters that ended without giving theirs back.
 * @throws Error when there is none.
 */
export async function claimSlot(
  request: {readonly dir: string; readonly previous: number | undefined; readonly by: ProcessIdentity},
  isUsable: (slot: number) => Promise<boolean>,
  folder = slotFolder(),
): Promise<{slot: number; lost: number[]}> {
  const {dir, previous, by} = request;
  return await withSlots(folder, async () => {
    const claims = readClaims(folder);
    for (const slot of slotsInOrder(dir, previous, claims, isClaimLive)) {
      if (!(await isUsable(slot))) continue;
      const lost = [...claims].filter(([number, claim]) => number !== slot && !isClaimLive(claim)).map(([number]) => number);
      for (const number of lost) rmSync(join(folder, `slot-${number}.json`), {force: true});
      writeAtomic(join(folder, `slot-${slot}.json`), JSON.stringify({dir, by} satisfies Claim));
      return {slot, lost};
    }
    throw new Error(`all ${SLOTS} places for local clusters on this machine are taken`);
  });
}

/** Gives a cluster's slot back; `lastOne` is true when no other live cluster is left on this machine. */
export async function releaseSlot(dir: string, slot: number, folder = slotFolder()): Promise<{lastOne: boolean}> {
  return await withSlots(folder, () => {
    const claims = readClaims(folder);
    if (claims.get(slot)?.dir === dir) rmSync(join(folder, `slot-${slot}.json`), {force: true});
    return {lastOne: ![...claims].some(([number, claim]) => number !== slot && isClaimLive(claim))};
  });
}

async function withSlots<T>(folder: string, run: () => T | Promise<T>): Promise<T> {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const release = await lock(join(folder, 'lock'), {deadlineMs: LOCK_DEADLINE_MS});
  try {
    return await run();
  } finally {
    release();
  }
}
