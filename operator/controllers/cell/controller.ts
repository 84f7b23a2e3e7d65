/**
 * Cell: counts of its hosts and servers, and the sum of their capacity. It creates nothing; the finalizer keeps it while hosts name it.
 */
import {CELL, HOST} from '../../../crds/index.ts';
import type {Cell, CellStatus} from '../../../crds/index.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {COUNTING_DELAY_MS, deletingAbove, untilNothingIsBelow} from '../shared/inventory.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {cellStatus} from './status.ts';

/** Makes the Cell controller. */
export function createCellController(deps: Deps): ControllerDefinition {
  const {regions, cells, hosts} = deps.informers;
  return createKindController<CellStatus, Cell>({
    deps,
    name: 'cell',
    type: CELL,
    informer: cells,
    workers: 2,
    watches: [
      watchOf(hosts, ({object, oldObject}) => [object.spec.cell, oldObject?.spec.cell].filter((name) => name !== undefined), {
        delayMs: COUNTING_DELAY_MS,
      }),
      // A cell asks only whether its region is there.
      watchOf(regions, ({kind, object}) =>
        kind === 'modified' ? [] : cells.byIndex('region', object.metadata.name).map((cell) => cell.metadata.name),
      ),
    ],
    async reconcile(cell, scope) {
      const status = cellStatus({
        cell,
        region: regions.get(cell.spec.region),
        hosts: hosts.byIndex('cell', cell.metadata.name),
        duplicate: scope.duplicate,
        nowMs: scope.nowMs,
      });
      await scope.saveStatus(cell, status);
      return DONE;
    },
    async finalize(cell, scope) {
      const below = {fieldSelector: `spec.cell=${cell.metadata.name}`, signal: scope.signal};
      const {items} = await deps.client.list(HOST, below);
      const result = untilNothingIsBelow(deletingAbove(cell, [], items));
      if (result.kind === 'blocked') {
        const region = regions.get(cell.spec.region);
        await scope.saveStatus(cell, cellStatus({cell, region, hosts: items, duplicate: scope.duplicate, nowMs: scope.nowMs}));
      }
      return result;
    },
  });
}
