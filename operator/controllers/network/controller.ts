/** Network: its NetworkAttachmentDefinition and its counts of addresses. It is not deleted while a server holds one of them. */
import {NETWORK} from '../../../crds/index.ts';
import type {Reason} from '../../../crds/conditions.ts';
import type {Network, NetworkStatus} from '../../../crds/index.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import type {Judgement} from '../shared/conditions.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {isControlledBy} from '../shared/owner.ts';
import {NETWORK_ATTACHMENT, NETWORK_LABEL, desiredAttachment} from './plan.ts';
import {networkStatus, waitingFor} from './status.ts';

/** How often a network asks again whether attachments are served by now, in milliseconds. */
const UNSERVED_POLL_MS = 30_000;

const ATTACHED: Judgement = {type: 'Ready', status: 'True', reason: 'Ready', message: 'servers can be attached'};

const unattached = (reason: Reason, message: string): Judgement => ({type: 'Ready', status: 'False', reason, message});

/** Makes the Network controller. */
export function createNetworkController(deps: Deps): ControllerDefinition {
  const {networks, networkAttachments} = deps.informers;

  const attach = async (network: Network, signal: AbortSignal): Promise<Judgement> => {
    const {name} = network.metadata;
    const live = networkAttachments.get(keyOf(refOfObject(network)));
    if (live !== undefined && !isControlledBy(live, network)) {
      return unattached('NotOwned', `NetworkAttachmentDefinition ${name} exists and does not belong to this network`);
    }
    const {object} = await deps.applier.apply(NETWORK_ATTACHMENT, desiredAttachment(network), live as never, {signal});
    networkAttachments.observe(object);
    return ATTACHED;
  };

  return createKindController<NetworkStatus, Network>({
    deps,
    name: 'network',
    type: NETWORK,
    informer: networks,
    workers: 2,
    watches: [
      watchOf(
        networkAttachments,
        ({object}) => {
          const name = object.metadata.labels?.[NETWORK_LABEL];
          return name === undefined ? [] : [keyOf({...refOfObject(object), name})];
        },
        {optional: true},
      ),
    ],
    async reconcile(network, scope): Promise<Result> {
      const served = deps.served(NETWORK_ATTACHMENT);
      if (served && !networkAttachments.hasSynced) return {kind: 'requeue', afterMs: 500, why: 'the cache of attachments is being filled'};
      const attachment = served
        ? await attach(network, scope.signal)
        : unattached('AttachmentMissing', 'the cluster does not serve network-attachment-definitions: is Multus installed?');
      await scope.saveStatus(network, networkStatus({network, attachment, duplicate: scope.duplicate, nowMs: scope.nowMs}));
      return served ? DONE : {kind: 'requeue', afterMs: UNSERVED_POLL_MS, why: 'attachments may be served by then'};
    },
    async finalize(network, scope): Promise<Result> {
      // A fresh read: a lease may have been written a moment ago.
      let fresh: Network;
      try {
        fresh = await deps.client.get(NETWORK, refOfObject(network), {signal: scope.signal});
      } catch (error) {
        if (isNotFound(error)) return DONE;
        throw error;
      }
      networks.observe(fresh);
      if ((fresh.status?.leases ?? []).length === 0) return DONE;
      await scope.saveStatus(fresh, networkStatus({network: fresh, attachment: ATTACHED, duplicate: scope.duplicate, nowMs: scope.nowMs}));
      return {kind: 'blocked', reason: 'LeasesRemain', message: waitingFor(fresh)};
    },
  });
}
