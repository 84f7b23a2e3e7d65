/** A Flavor as KubeVirt users see it: a cluster-wide instancetype of the same size. Pure. Nothing of ours reads it. */
import type {Flavor} from '../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {controllerReference} from '../shared/owner.ts';

/** `instancetype.kubevirt.io/v1beta1`, as much of it as is written. */
export interface ClusterInstancetype extends KubeObject {
  readonly spec: {readonly cpu: {readonly guest: number}; readonly memory: {readonly guest: string}};
}

export const CLUSTER_INSTANCETYPE: ResourceType<ClusterInstancetype> = {
  group: 'instancetype.kubevirt.io',
  version: 'v1beta1',
  plural: 'virtualmachineclusterinstancetypes',
  kind: 'VirtualMachineClusterInstancetype',
  namespaced: false,
};

/** Label with the flavor's name; the operator watches only instancetypes that carry it. */
export const FLAVOR_LABEL = 'basalt.dev/flavor';

/** Name of the published instancetype. The prefix keeps it clear of KubeVirt's own common instancetypes. */
export const instancetypeName = (flavor: Flavor): string => `basalt-${flavor.metadata.name}`;

/** Both are cluster-scoped, so the Flavor owns it and the garbage collector removes it. */
export function desiredInstancetype(flavor: Flavor): ClusterInstancetype {
  return {
    apiVersion: 'instancetype.kubevirt.io/v1beta1',
    kind: 'VirtualMachineClusterInstancetype',
    metadata: {
      name: instancetypeName(flavor),
      labels: {[FLAVOR_LABEL]: flavor.metadata.name},
      ownerReferences: [controllerReference(flavor)],
    },
    spec: {cpu: {guest: flavor.spec.vcpus}, memory: {guest: `${flavor.spec.memoryMiB}Mi`}},
  };
}
