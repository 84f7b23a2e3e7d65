/** What a Region and a Cell say about the hosts in them: pure sums over Host statuses. */
import type {Host} from '../../../crds/index.ts';
import {isTrue, someOf} from './conditions.ts';
import type {Judgement} from './conditions.ts';
import {sumOf} from './totals.ts';
import type {Totals} from './totals.ts';

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
