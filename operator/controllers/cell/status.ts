/** The status of a Cell, from the hosts that name it and its Region. */
import type {Cell, CellStatus, Host, Region} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {deletingAbove, inventoryReady, sumHosts} from '../shared/inventory.ts';

/** What was gathered. `region` is undefined when the Region that the cell names does not exist. */
export interface CellSeen {
  readonly cell: Cell;
  readonly region: Region | undefined;
  readonly hosts: readonly Host[];
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status. */
export function cellStatus({cell, region, hosts, duplicate, nowMs}: CellSeen): CellStatus {
  const missing: Judgement | undefined =
    region === undefined
      ? {type: 'Ready', status: 'False', reason: 'DependencyMissing', message: `region ${cell.spec.region} does not exist`}
      : undefined;
  return {
    observedGeneration: cell.metadata.generation ?? 0,
    uuid: uuidOf(cell),
    ...sumHosts(hosts),
    conditions: conditionsOf(cell, [duplicate ?? missing ?? inventoryReady(hosts), deletingAbove(cell, [], hosts)], nowMs),
  };
}
