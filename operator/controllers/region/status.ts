/** The status of a Region, from the cells and hosts that name it. */
import type {Cell, Host, Region, RegionStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {deletingAbove, inventoryReady, sumHosts} from '../shared/inventory.ts';

/** What was gathered. `nowMs` is epoch time; `duplicate` stands in for `Ready` when the id belongs to an older Region. */
export interface RegionSeen {
  readonly region: Region;
  readonly cells: readonly Cell[];
  readonly hosts: readonly Host[];
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status. */
export function regionStatus({region, cells, hosts, duplicate, nowMs}: RegionSeen): RegionStatus {
  return {
    observedGeneration: region.metadata.generation ?? 0,
    uuid: uuidOf(region),
    cells: cells.filter((cell) => cell.metadata.deletionTimestamp === undefined).length,
    ...sumHosts(hosts),
    conditions: conditionsOf(region, [duplicate ?? inventoryReady(hosts), deletingAbove(region, cells, hosts)], nowMs),
  };
}
