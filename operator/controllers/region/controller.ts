/**
 * Region: counts of its cells, hosts and servers, and the sum of its hosts' capacity. It creates nothing; the finalizer keeps it while
 * cells or hosts name it.
 */
import {CELL, HOST, REGION} from '../../../crds/index.ts';
import type {Cell, Host, Region, RegionStatus} from '../../../crds/index.ts';
import type {Change} from '../../../kube/informer.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {COUNTING_DELAY_MS, deletingAbove, untilNothingIsBelow} from '../shared/inventory.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {regionStatus} from './status.ts';

/** The regions that a change touches: the one named now and the one named before. */
const regionsOf = ({object, oldObject}: Change<Cell> | Change<Host>): readonly string[] =>
  [object.spec.region, oldObject?.spec.region].filter((name) => name !== undefined);

/** Makes the Region controller. */
export function createRegionController(deps: Deps): ControllerDefinition {
  const {regions, cells, hosts} = deps.informers;
  return createKindController<RegionStatus, Region>({
    deps,
    name: 'region',
    type: REGION,
    informer: regions,
    workers: 2,
    watches: [watchOf(cells, regionsOf, {delayMs: COUNTING_DELAY_MS}), watchOf(hosts, regionsOf, {delayMs: COUNTING_DELAY_MS})],
    async reconcile(region, scope) {
      const name = region.metadata.name;
      const status = regionStatus({
        region,
        cells: cells.byIndex('region', name),
        hosts: hosts.byIndex('region', name),
        duplicate: scope.duplicate,
        nowMs: scope.nowMs,
      });
      await scope.saveStatus(region, status);
      return DONE;
    },
    async finalize(region, scope) {
      const below = {fieldSelector: `spec.region=${region.metadata.name}`, signal: scope.signal};
      const [left, leftHosts] = await Promise.all([deps.client.list(CELL, below), deps.client.list(HOST, below)]);
      const seen = {region, cells: left.items, hosts: leftHosts.items, duplicate: scope.duplicate, nowMs: scope.nowMs};
      const result = untilNothingIsBelow(deletingAbove(region, seen.cells, seen.hosts));
      if (result.kind === 'blocked') await scope.saveStatus(region, regionStatus(seen));
      return result;
    },
  });
}
