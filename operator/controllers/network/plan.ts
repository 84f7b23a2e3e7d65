/** A Network as Multus attaches it. Pure. */
import type {Network} from '../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {controllerReference} from '../shared/owner.ts';

/** `k8s.cni.cncf.io/v1`. */
export interface NetworkAttachmentDefinition extends KubeObject {
  /** `config` is a CNI configuration as JSON text. */
  readonly spec: {readonly config: string};
}

export const NETWORK_ATTACHMENT: ResourceType<NetworkAttachmentDefinition> = {
  group: 'k8s.cni.cncf.io',
  version: 'v1',
  plural: 'network-attachment-definitions',
  kind: 'NetworkAttachmentDefinition',
  namespaced: true,
};

/** Label with the network's name; the operator watches only attachments that carry it. */
export const NETWORK_LABEL = 'basalt.dev/network';
/** The bridge on every node to which guests are attached; VLANs are tags on it. */
export const BRIDGE = 'br-basalt';

/** The attachment has the network's own name, in its namespace: NICs name it `<namespace>/<name>`. */
export function desiredAttachment(network: Network): NetworkAttachmentDefinition {
  const {vlanId, type} = network.spec;
  const config = {
    cniVersion: '0.3.1',
    name: network.metadata.name,
    type: 'bridge',
    bridge: BRIDGE,
    ...(type === 'Vlan' && vlanId !== undefined ? {vlan: vlanId} : {}),
    macspoofchk: true, // a guest speaks with its own address only
    disableContainerInterface: true,
    ipam: {}, // addresses are leased by Basalt, not by CNI
  };
  return {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: {
      name: network.metadata.name,
      namespace: network.metadata.namespace ?? '',
      labels: {[NETWORK_LABEL]: network.metadata.name},
      ownerReferences: [controllerReference(network)],
    },
    spec: {config: JSON.stringify(config)},
  };
}
