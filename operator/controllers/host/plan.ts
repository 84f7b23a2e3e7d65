/** What a Host wants of Nodes: labels on its own, none on any other, and a cordon while nothing may be placed there. Pure. */
import type {Host} from '../../../crds/index.ts';
import {byAge} from '../../../crds/rules/ids.ts';
import {TOPOLOGY_LABELS} from '../../../crds/wellknown.ts';
import type {CoreNode} from '../../../kube/types.ts';
import {CORDONED_BY} from './node.ts';

/** A merge patch for one node: `null` removes. */
export interface NodePatch {
  readonly name: string;
  readonly patch: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string | null>>;
      readonly annotations?: Readonly<Record<string, string | null>>;
    };
    readonly spec?: {readonly unschedulable: boolean | null};
  };
}

/** Nothing new may be placed on the host: it is in maintenance, or its owner switched it off. */
export const wantsCordon = (host: Host): boolean => (host.spec.maintenance?.mode ?? 'None') !== 'None' || host.spec.activity === 'Inactive';

const differing = (
  wanted: Readonly<Record<string, string | null>>,
  present: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => (present?.[key] ?? null) !== value));

function patchFor(
  node: CoreNode,
  labels: Readonly<Record<string, string | null>>,
  cordon: {readonly by: string; readonly wanted: boolean},
): NodePatch | undefined {
  const changedLabels = differing(labels, node.metadata.labels);
  const ours = node.metadata.annotations?.[CORDONED_BY] === cordon.by;
  const cordoned = node.spec?.unschedulable === true;
  // A node that somebody else cordoned is left to them: no annotation, so no uncordon later either.
  const cordonNow = cordon.wanted && !cordoned;
  const release = !cordon.wanted && ours;
  const annotations = cordonNow ? {[CORDONED_BY]: cordon.by} : release ? {[CORDONED_BY]: null} : {};
  const metadata = {
    ...(Object.keys(changedLabels).length === 0 ? {} : {labels: changedLabels}),
    ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
  };
  const spec = cordonNow ? {unschedulable: true} : release && cordoned ? {unschedulable: null} : undefined;
  if (Object.keys(metadata).length === 0 && spec === undefined) return undefined;
  return {
    name: node.metadata.name,
    patch: {...(Object.keys(metadata).length === 0 ? {} : {metadata}), ...(spec === undefined ? {} : {spec})},
  };
}

/** The patches that bring the nodes in line. `bound` is the host's node; `labelled` are all nodes that carry the host's label. */
export function planNodes(host: Host, bound: CoreNode | undefined, labelled: readonly CoreNode[]): readonly NodePatch[] {
  const name = host.metadata.name;
  const released = labelled
    .filter((node) => node.metadata.name !== bound?.metadata.name)
    .map((node) =>
      patchFor(
        node,
        {[TOPOLOGY_LABELS.region]: null, [TOPOLOGY_LABELS.cell]: null, [TOPOLOGY_LABELS.host]: null},
        {by: name, wanted: false},
      ),
    );
  const own =
    bound === undefined
      ? undefined
      : patchFor(
          bound,
          {[TOPOLOGY_LABELS.region]: host.spec.region, [TOPOLOGY_LABELS.cell]: host.spec.cell ?? null, [TOPOLOGY_LABELS.host]: name},
          {by: name, wanted: wantsCordon(host)},
        );
  return [...released, own].filter((patch) => patch !== undefined);
}

/** Of several hosts that match one node, the oldest has it, so that two never fight over its labels. */
export const ownerOfNode = (claimants: readonly Host[]): Host | undefined => claimants.toSorted(byAge)[0];
