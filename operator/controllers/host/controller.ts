/**
 * Host: finds its Node, puts the topology labels on it (placement selects by them), cordons it for maintenance, and reports capacity,
 * requests and servers. The finalizer stands for the labels.
 */
import {HOST} from '../../../crds/index.ts';
import type {Host, HostStatus} from '../../../crds/index.ts';
import {TOPOLOGY_LABELS} from '../../../crds/wellknown.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {Change} from '../../../kube/informer.ts';
import {NODE} from '../../../kube/types.ts';
import type {CoreNode} from '../../../kube/types.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import {FIELD_MANAGER} from '../shared/finalizer.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {addressesOf, bindNode, schedulability} from './node.ts';
import type {Binding} from './node.ts';
import {ownerOfNode, planNodes} from './plan.ts';
import type {NodePatch} from './plan.ts';
import {hostStatus} from './status.ts';

/** Pods and guests come and go in bursts; a host is counted again at most so often, in milliseconds. */
const COUNTING_DELAY_MS = 1_000;

/** Makes the Host controller. */
export function createHostController(deps: Deps): ControllerDefinition {
  const {regions, cells, hosts, nodes, pods, virtualMachineInstances} = deps.informers;

  /** Hosts that a node may belong to: those that name it, match it, or whose label it carries. */
  const hostsOfNode = ({object: node, oldObject}: Change<CoreNode>): readonly string[] => {
    const named = hosts.byIndex('node', node.metadata.name);
    const matching = [node.metadata.name, node.metadata.labels?.['kubernetes.io/hostname'], ...addressesOf(node, 'InternalIP')];
    const found = matching.filter((value) => value !== undefined).flatMap((value) => hosts.byIndex('identity', value));
    const labels = [node.metadata.labels?.[TOPOLOGY_LABELS.host], oldObject?.metadata.labels?.[TOPOLOGY_LABELS.host]].filter(
      (value) => value !== undefined,
    );
    return [...new Set([...named.map((host) => host.metadata.name), ...found.map((host) => host.metadata.name), ...labels])];
  };

  const hostsOnNode = (...names: readonly (string | undefined)[]): readonly string[] =>
    [...new Set(names)]
      .filter((name) => name !== undefined)
      .flatMap((name) => hosts.byIndex('node', name).map((host) => host.metadata.name));

  const lookup = {
    byName: (name: string) => nodes.get(name),
    byHostname: (hostname: string) => {
      const named = nodes.get(hostname);
      return named === undefined ? nodes.byIndex('hostname', hostname) : [named];
    },
    byAddress: (address: string) => nodes.byIndex('address', address),
  };

  const bind = (host: Host): Binding => {
    const binding = bindNode(host.spec, lookup);
    if (binding.node === undefined) return binding;
    const name = binding.node.metadata.name;
    const claimants = [name, ...addressesOf(binding.node, 'InternalIP'), binding.node.metadata.labels?.['kubernetes.io/hostname']]
      .filter((value) => value !== undefined)
      .flatMap((value) => hosts.byIndex('identity', value))
      .filter((other) => other.metadata.deletionTimestamp === undefined && bindNode(other.spec, lookup).node?.metadata.name === name);
    const owner = ownerOfNode([...new Set([...claimants, host])]);
    if (owner === undefined || owner.metadata.name === host.metadata.name) return binding;
    return {node: undefined, reason: 'NodeTaken', message: `node ${name} belongs to host ${owner.metadata.name}, which is older`};
  };

  const patchNodes = async (patches: readonly NodePatch[], signal: AbortSignal): Promise<void> => {
    for (const {name, patch} of patches) {
      try {
        nodes.observe(await deps.client.mergePatch(NODE, {name}, patch, {signal, fieldManager: FIELD_MANAGER}));
      } catch (error) {
        if (!isNotFound(error)) throw error; // a node that is gone needs no labels
      }
    }
  };

  return createKindController<HostStatus, Host>({
    deps,
    name: 'host',
    type: HOST,
    informer: hosts,
    workers: 4,
    watches: [
      watchOf(nodes, hostsOfNode),
      watchOf(pods, ({object, oldObject}) => hostsOnNode(object.spec?.nodeName, oldObject?.spec?.nodeName), {delayMs: COUNTING_DELAY_MS}),
      watchOf(virtualMachineInstances, ({object, oldObject}) => hostsOnNode(object.status?.nodeName, oldObject?.status?.nodeName), {
        delayMs: COUNTING_DELAY_MS,
        optional: true,
      }),
      watchOf(regions, ({kind, object}) =>
        kind === 'modified' ? [] : hosts.byIndex('region', object.metadata.name).map((host) => host.metadata.name),
      ),
      watchOf(cells, ({kind, object}) =>
        kind === 'modified' ? [] : hosts.byIndex('cell', object.metadata.name).map((host) => host.metadata.name),
      ),
    ],
    async reconcile(host, scope): Promise<Result> {
      const binding = bind(host);
      await patchNodes(planNodes(host, binding.node, nodes.byIndex('host', host.metadata.name)), scope.signal);
      const name = binding.node?.metadata.name;
      const {region, cell} = host.spec;
      const status = hostStatus({
        host,
        binding: name === undefined ? binding : {node: nodes.get(name) ?? binding.node!},
        pods: name === undefined ? [] : pods.byIndex('node', name),
        instances: name === undefined ? 0 : virtualMachineInstances.byIndex('node', name).length,
        missing:
          regions.get(region) === undefined
            ? `region ${region}`
            : cell !== undefined && cells.get(cell) === undefined
              ? `cell ${cell}`
              : undefined,
        duplicate: scope.duplicate,
        nowMs: scope.nowMs,
      });
      await scope.saveStatus(host, status);
      const recheckAtMs = binding.node === undefined ? undefined : schedulability(binding.node, scope.nowMs).recheckAtMs;
      return recheckAtMs === undefined
        ? DONE
        : {kind: 'requeue', afterMs: recheckAtMs - scope.nowMs + 1000, why: "KubeVirt's heartbeat may have stopped"};
    },
    async finalize(host, scope) {
      await patchNodes(planNodes(host, undefined, nodes.byIndex('host', host.metadata.name)), scope.signal);
      return DONE;
    },
  });
}
