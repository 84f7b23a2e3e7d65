/** Flavor: its status, and a read-only instancetype for users of kubectl and virtctl where KubeVirt offers that kind. */
import {FLAVOR} from '../../../crds/index.ts';
import type {Flavor, FlavorStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import {NOT_DELETING, conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {isControlledBy} from '../shared/owner.ts';
import {CLUSTER_INSTANCETYPE, FLAVOR_LABEL, desiredInstancetype, instancetypeName} from './plan.ts';

/** How often a flavor asks again whether KubeVirt's instancetypes are served by now, in milliseconds. */
const UNSERVED_POLL_MS = 30_000;

/** How publishing went: `undefined` is success. */
type Unpublished = string | undefined;

/** The whole status. A flavor is usable whether or not it is published; the message says so. */
export function flavorStatus(flavor: Flavor, unpublished: Unpublished, duplicate: Judgement | undefined, nowMs: number): FlavorStatus {
  const ready: Judgement =
    unpublished === undefined
      ? {type: 'Ready', status: 'True', reason: 'Published', message: `also published as instancetype ${instancetypeName(flavor)}`}
      : {type: 'Ready', status: 'True', reason: 'Ready', message: `not published as an instancetype: ${unpublished}`};
  return {
    observedGeneration: flavor.metadata.generation ?? 0,
    uuid: uuidOf(flavor),
    conditions: conditionsOf(flavor, [duplicate ?? ready, NOT_DELETING], nowMs),
  };
}

/** Makes the Flavor controller. */
export function createFlavorController(deps: Deps): ControllerDefinition {
  const {flavors, instancetypes} = deps.informers;

  const publish = async (flavor: Flavor, signal: AbortSignal): Promise<Unpublished> => {
    const name = instancetypeName(flavor);
    const live = instancetypes.get(name);
    if (live !== undefined && !isControlledBy(live, flavor)) return `${name} exists and does not belong to this flavor`;
    const {object} = await deps.applier.apply(CLUSTER_INSTANCETYPE, desiredInstancetype(flavor), live as never, {signal});
    instancetypes.observe(object);
    return undefined;
  };

  return createKindController<FlavorStatus, Flavor>({
    deps,
    name: 'flavor',
    type: FLAVOR,
    informer: flavors,
    workers: 2,
    watches: [
      watchOf(
        instancetypes,
        ({object}) => {
          const name = object.metadata.labels?.[FLAVOR_LABEL];
          return name === undefined ? [] : [name];
        },
        {optional: true},
      ),
    ],
    async reconcile(flavor, scope): Promise<Result> {
      const ready = deps.served(CLUSTER_INSTANCETYPE);
      // An unfilled cache would make a foreign instancetype look free.
      if (ready && !instancetypes.hasSynced) return {kind: 'requeue', afterMs: 500, why: 'the cache of instancetypes is being filled'};
      const unpublished = ready ? await publish(flavor, scope.signal) : 'the cluster does not serve virtualmachineclusterinstancetypes';
      await scope.saveStatus(flavor, flavorStatus(flavor, unpublished, scope.duplicate, scope.nowMs));
      return ready ? DONE : {kind: 'requeue', afterMs: UNSERVED_POLL_MS, why: 'instancetypes may be served by then'};
    },
  });
}
