/**
 * Which simulated hosts have power. `hack/cluster/main.ts host off|on` writes it on the Node; a host without power takes its guests with
 * it, says nothing any more, and comes back without them.
 */
import type {Informer} from '../../../kube/informer.ts';
import type {CoreNode} from '../../../kube/types.ts';
import {ANNOTATIONS, LABELS} from './types.ts';
import type {Vmi} from './types.ts';

/** The power of all hosts. */
export interface HostPower {
  /** Whether the node has no power. A node that is not there is not called off: its guests are somebody else's question. */
  isOff(nodeName: string | undefined): boolean;
  /** Whether the node lost its power after the VMI's guest had come to it: that guest is no more, also where nothing else shows it. */
  hasOutlived(vmi: Vmi): boolean;
  /** Calls back when a node's power goes or comes. Returns the function that ends it. */
  onChange(listener: (nodeName: string) => void): () => void;
}

const isOff = (node: CoreNode | undefined): boolean => node?.metadata.labels?.[LABELS.power] === 'off';

/** Every host has power: for where there are no nodes to look at. */
export const ALWAYS_ON: HostPower = {isOff: () => false, hasOutlived: () => false, onChange: () => () => undefined};

/** When the guest came to its present node, in epoch milliseconds: by its start, or by a migration since. */
function arrivedAt({status, metadata}: Vmi): number {
  const started = status?.phaseTransitionTimestamps?.findLast(({phase}) => phase === 'Running')?.phaseTransitionTimestamp;
  const move = status?.migrationState;
  const moved = move?.completed === true && move.failed !== true && move.targetNode === status?.nodeName ? move.endTimestamp : undefined;
  return Math.max(Date.parse(started ?? metadata.creationTimestamp ?? ''), moved === undefined ? 0 : Date.parse(moved));
}

/** Reads it off the nodes. */
export function createHostPower(nodes: Pick<Informer<CoreNode>, 'get' | 'onChange'>): HostPower {
  return {
    isOff: (nodeName) => nodeName !== undefined && isOff(nodes.get(nodeName)),
    hasOutlived(vmi) {
      const back = nodes.get(vmi.status?.nodeName ?? '')?.metadata.annotations?.[ANNOTATIONS.poweredOnAt];
      return back !== undefined && arrivedAt(vmi) < Date.parse(back);
    },
    onChange: (listener) =>
      nodes.onChange(({kind, object, oldObject}) => {
        if (kind === 'modified' && isOff(object) !== isOff(oldObject)) listener(object.metadata.name);
      }),
  };
}
