/** The size of a server: from its flavor, resolved once, or from its own cpu and memory. Pure. */
import type {Flavor, Reason, Server, ServerResources} from '../../../crds/index.ts';
import {coresForMhz} from '../../../crds/rules/sizes.ts';

/** The size, or what is missing for it. */
export type SizeDecision =
  | {readonly kind: 'resolved'; readonly resources: ServerResources}
  | {readonly kind: 'blocked'; readonly reason: Reason; readonly message: string};

function fromFlavor(name: string, flavor: Flavor): ServerResources {
  const {vcpus, memoryMiB, diskGiB, cpuMHz} = flavor.spec;
  return {flavor: name, cores: vcpus, ...(cpuMHz === undefined ? {} : {cpuMHz: cpuMHz * vcpus}), memoryMiB, diskGiB};
}

/** Whether a server of an account (by name) may have a flavor. Existing servers keep what they have. */
function denied(flavor: Flavor, account: string | undefined): string | undefined {
  const {visibility, projects, creation} = flavor.spec;
  if (creation === 'Denied') return `flavor ${flavor.metadata.name} is not offered to new servers`;
  if (visibility === 'Restricted' && (account === undefined || !(projects ?? []).includes(account)))
    return `flavor ${flavor.metadata.name} does not exist`;
  return undefined;
}

/**
 * Resolves the size. A size that was resolved from the same flavor before is kept, whatever became of the flavor since: a change of a
 * flavor changes no server. `account` is the name of the server's account.
 */
export function resolveSize(server: Server, flavor: Flavor | undefined, account: string | undefined): SizeDecision {
  const {spec, status} = server;
  if (spec.flavor !== undefined) {
    if (status?.resources?.flavor === spec.flavor && status.resources.cores !== undefined)
      return {kind: 'resolved', resources: status.resources};
    if (flavor === undefined) return {kind: 'blocked', reason: 'DependencyMissing', message: `flavor ${spec.flavor} does not exist`};
    const refusal = denied(flavor, account);
    if (refusal !== undefined) return {kind: 'blocked', reason: 'NotPermitted', message: refusal};
    return {kind: 'resolved', resources: fromFlavor(spec.flavor, flavor)};
  }
  const {cpu, memoryMiB} = spec;
  const mhz = cpu?.mhz;
  const cores = cpu?.cores ?? (mhz === undefined ? undefined : coresForMhz(mhz));
  // The schema requires both; an object from before the rule must not crash the loop.
  if (cores === undefined || memoryMiB === undefined)
    return {kind: 'blocked', reason: 'DependencyMissing', message: 'neither a flavor nor cpu and memoryMiB are given'};
  return {kind: 'resolved', resources: {cores, ...(mhz === undefined ? {} : {cpuMHz: mhz}), memoryMiB}};
}
