/** CPU and memory of a server as KubeVirt's `domain.cpu`, `domain.memory` and `domain.resources`. */
import {CORE_MHZ} from '../../crds/rules/sizes.ts';
import type {InstanceSpec} from './types.ts';

/** What a server was resolved to. */
export interface MachineResources {
  readonly cores: number;
  readonly memoryMiB: number;
  /** Bought clock of all cores together (CloudSigma); absent: no share is reserved and none is enforced. */
  readonly cpuMHz?: number;
}

/** KubeVirt's ratio of the largest size that can be plugged in while running to the size at boot. */
const MAX_HOTPLUG_RATIO = 4;
/** KubeVirt's own bound of derived sockets. */
const MAX_SOCKETS = 512;

type Domain = InstanceSpec['domain'];

/**
 * One socket per core: sockets are the only axis that can be plugged in while running. Memory is what the guest sees; the launcher's
 * overhead is virt-controller's business, so `resources.requests.memory` stays unset, and so does `maxGuest` (KubeVirt derives it, only
 * for guests that can take more memory). A bought clock is both request and hard cap.
 */
export function buildCompute({cores, memoryMiB, cpuMHz}: MachineResources): Pick<Domain, 'cpu' | 'memory' | 'resources'> {
  const share = cpuMHz === undefined ? undefined : `${Math.max(1, Math.round((cpuMHz * 1000) / CORE_MHZ))}m`;
  return {
    cpu: {sockets: cores, cores: 1, threads: 1, maxSockets: Math.max(cores, Math.min(cores * MAX_HOTPLUG_RATIO, MAX_SOCKETS))},
    memory: {guest: `${memoryMiB}Mi`},
    ...(share === undefined ? {} : {resources: {requests: {cpu: share}, limits: {cpu: share}}}),
  };
}
