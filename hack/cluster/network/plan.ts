/**
 * The addresses of a cluster that may not be loopback ones: Kubernetes refuses 127.0.0.0/8 in EndpointSlices, so virt-api, cdi-apiserver
 * and the hypervisor need others. With root each cluster gets a /24 that exists on this machine only; without, they share the machine's
 * own first address on ports of their own, guarded by the mutual TLS that they speak anyway. Pure.
 */
import type {Ports} from '../ports.ts';

/** Where one server listens. */
export interface Listener {
  readonly address: string;
  readonly port: number;
}

/** Addresses and ranges of one cluster. */
export interface NetworkPlan {
  /** `local-route`: a /24 of our own on the loopback device. `own-address`: the machine's first address. */
  readonly mode: 'local-route' | 'own-address';
  /** The /24, in mode local-route. */
  readonly subnet?: string;
  /** What fake nodes say their address is; pods with hostNetwork have it too, so it must be one of ours. */
  readonly nodeAddress: string;
  readonly virtApi: Listener;
  readonly cdiApi: Listener;
  readonly handler: Listener;
}

/** Fake pods get addresses from here. Nothing may ever be sent to one: they belong to nobody, or to somebody else. */
export const POD_RANGE = '10.244.0.0/16';

/** Addresses of Services. No kube-proxy runs, so nothing answers on one. */
export const SERVICE_RANGE = '10.96.0.0/16';

/** The /24 of a slot. */
export function subnetOf(slot: number): string {
  return `10.245.${slot}.0/24`;
}

/** Where the three servers of a slot with routes listen. */
export function slotListeners(slot: number): Pick<NetworkPlan, 'virtApi' | 'cdiApi' | 'handler'> {
  const at = (host: number): string => `10.245.${slot}.${host}`;
  return {
    virtApi: {address: at(10), port: 8443},
    cdiApi: {address: at(11), port: 8443},
    handler: {address: at(20), port: 8186},
  };
}

/**
 * First three numbers of the addresses of pods that run as processes, with the last dot: from the cluster's /24, or from loopback, where each
 * cluster has a /24 of its own too.
 */
export function podPrefix(plan: NetworkPlan, slot: number): string {
  return plan.subnet === undefined ? `127.245.${slot}.` : plan.subnet.slice(0, plan.subnet.lastIndexOf('.') + 1);
}

/**
 * The plan of a slot (0..255). `ownAddress` is the machine's first address that is not loopback, used when there may be no routes.
 * @throws Error when there is neither.
 */
export function planNetwork(
  slot: number,
  ports: Ports,
  options: {readonly routes: boolean; readonly ownAddress?: string | undefined},
): NetworkPlan {
  if (options.routes) {
    const listeners = slotListeners(slot);
    return {mode: 'local-route', subnet: subnetOf(slot), nodeAddress: listeners.handler.address, ...listeners};
  }
  const address = options.ownAddress;
  if (address === undefined) {
    throw new Error(
      'this machine has no address but loopback and no right to add one (root on Linux): KubeVirt and CDI cannot be reached by the apiserver. Use --light',
    );
  }
  return {
    mode: 'own-address',
    nodeAddress: address,
    virtApi: {address, port: ports.virtApi},
    cdiApi: {address, port: ports.cdiApi},
    handler: {address, port: ports.handler},
  };
}
