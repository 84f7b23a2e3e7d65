/** What a Region and a Cell say about the hosts in them: pure sums over Host statuses. */
import type {Cell, Host, Region} from '../../../crds/index.ts';
import {DONE} from '../../runtime/types.ts';
import type {Result} from '../../runtime/types.ts';
import {NOT_DELETING, deletingBecause, isTrue, someOf} from './conditions.ts';
import type {Judgement} from './conditions.ts';
import {sumOf} from './totals.ts';
import type {Totals} from './totals.ts';

/**
 * `Deleting` of a Region or Cell: what is below keeps it, because its labels, sums and placement would name something that is gone.
 * What is itself being deleted counts until it is gone.
 */
export function deletingAbove(object: Region | Cell, cells: readonly Cell[], hosts: readonly Host[]): Judgement {
  if (object.metadata.deletionTimestamp === undefined) return NOT_DELETING;
  const names = (objects: readonly (Cell | Host)[]): string => someOf(objects.map(({metadata}) => metadata.name));
  if (cells.length > 0) return deletingBecause('CellsRemain', `cells are still in it: ${names(cells)}`);
  if (hosts.length > 0) return deletingBecause('HostsRemain', `hosts are still in it: ${names(hosts)}`);
  return deletingBecause('Deleting', 'nothing is left in it');
}

/** What a finalizer is to do about such a judgement: wait for what is below, or go. */
export const untilNothingIsBelow = ({reason, message}: Judgement): Result =>
  reason === 'CellsRemain' || reason === 'HostsRemain' ? {kind: 'blocked', reason, message} : DONE;

/** Counts and capacity of a set of hosts. */
export interface InventorySums {
  readonly hosts: number;
  readonly servers: number;
  readonly capacity: Totals;
  readonly allocatable: Totals;
  readonly requested: Totals;
  readonly free: Totals;
}

/** Adds up what the hosts report. A host that is being deleted no longer counts. */
export function sumHosts(hosts: readonly Host[]): InventorySums {
  const counted = hosts.filter((host) => host.metadata.deletionTimestamp === undefined);
  return {
    hosts: counted.length,
    servers: counted.reduce((sum, host) => sum + (host.status?.servers ?? 0), 0),
    capacity: sumOf(counted.map((host) => host.status?.capacity)),
    allocatable: sumOf(counted.map((host) => host.status?.allocatable)),
    requested: sumOf(counted.map((host) => host.status?.requested)),
    free: sumOf(counted.map((host) => host.status?.free)),
  };
}

/** `Ready` of a Region or Cell: false only when there are hosts and none of them is ready. */
export function inventoryReady(hosts: readonly Host[]): Judgement {
  const ready = hosts.filter((host) => isTrue(host, 'Ready'));
  if (hosts.length === 0) return {type: 'Ready', status: 'True', reason: 'Ready', message: 'no hosts yet'};
  const missing = hosts.filter((host) => !ready.includes(host)).map((host) => host.metadata.name);
  if (ready.length === 0) return {type: 'Ready', status: 'False', reason: 'NotReady', message: `no host is ready: ${someOf(missing)}`};
  const message =
    missing.length === 0 ? 'all hosts are ready' : `${ready.length} of ${hosts.length} hosts are ready; not: ${someOf(missing)}`;
  return {type: 'Ready', status: 'True', reason: 'Ready', message};
}

/** Changes of hosts are gathered for so long before a Region or Cell is counted again, in milliseconds. */
export const COUNTING_DELAY_MS = 1_000;
