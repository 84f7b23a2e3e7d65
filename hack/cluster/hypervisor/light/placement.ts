import type {Informer} from '../../../../kube/informer.ts';
import {keyOf, refOfObject} from '../../../../kube/objects.ts';
import type {CoreNode} from '../../../../kube/types.ts';
import type {Vmi} from '../types.ts';

/** Picks nodes as a scheduler that looks at selectors and counts guests, not at their sizes: light mode has no pods to schedule. */
export interface Placement {
  /** The least used node that fits, and counts the guest there from now on; or why there is none. */
  place(vmiKey: string, selector: Readonly<Record<string, string>>): {readonly node: string} | {readonly unplaced: string};
  /** The guest was not created after all. */
  release(vmiKey: string): void;
}

/** Whether a guest with this selector may start on the node. */
export function fits(node: CoreNode, selector: Readonly<Record<string, string>>): boolean {
  const labels = node.metadata.labels ?? {};
  if (node.spec?.unschedulable === true || labels['kubevirt.io/schedulable'] === 'false') return false;
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Creates it; it follows the VMIs that it is given. */
export function createPlacement(options: {
  readonly nodes: Pick<Informer<CoreNode>, 'list'>;
  readonly vmis: Pick<Informer<Vmi>, 'list' | 'onChange'>;
}): Placement {
  const placed = new Map<string, string>(); // VMI key → node
  const guests = new Map<string, number>(); // node → number of guests

  const release = (key: string): void => {
    const node = placed.get(key);
    if (node === undefined) return;
    placed.delete(key);
    guests.set(node, (guests.get(node) ?? 1) - 1);
  };
  const assign = (key: string, node: string): void => {
    if (placed.get(key) === node) return;
    release(key);
    placed.set(key, node);
    guests.set(node, (guests.get(node) ?? 0) + 1);
  };
  const follow = (vmi: Vmi): void => {
    const node = vmi.status?.nodeName;
    if (node !== undefined) assign(keyOf(refOfObject(vmi)), node);
  };

  for (const vmi of options.vmis.list()) follow(vmi);
  options.vmis.onChange(({kind, object}) => (kind === 'deleted' ? release(keyOf(refOfObject(object))) : follow(object)));

  return {
    place(key, selector) {
      const nodes = options.nodes.list();
      let best: {readonly name: string; readonly count: number} | undefined;
      for (const node of nodes) {
        if (!fits(node, selector)) continue;
        const {name} = node.metadata;
        const count = guests.get(name) ?? 0;
        if (best === undefined || count < best.count || (count === best.count && name < best.name)) best = {name, count};
      }
      if (best === undefined)
        return {
          unplaced: `0/${nodes.length} nodes are available: ${nodes.length} node(s) didn't match Pod's node affinity/selector or were unschedulable.`,
        };
      assign(key, best.name);
      return {node: best.name};
    },
    release,
  };
}
