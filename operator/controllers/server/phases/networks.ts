/** The NICs of a server: finds their networks and leases MAC and IP addresses. */
import type {Network, ServerNicStatus} from '../../../../crds/index.ts';
import {parseCidr} from '../../../leases/address-space.ts';
import type {LeaseBook} from '../../../leases/lease-book.ts';
import type {SeedNic} from '../../../kubevirt/cloud-init.ts';
import type {MachineNic} from '../../../kubevirt/nics.ts';
import type {Deps} from '../../../runtime/types.ts';
import {failed, no, yes} from '../findings.ts';
import type {Finding} from '../findings.ts';
import type {Scope, WantedNic} from '../scope.ts';

/** What the phase found. */
export interface NetworksFound {
  readonly finding: Finding;
  /** Whether every NIC has its network and addresses, so that the machine may be made. */
  readonly complete: boolean;
  readonly nics: readonly MachineNic[];
  readonly seeds: readonly SeedNic[];
  readonly statuses: readonly ServerNicStatus[];
}

interface Nic {
  readonly machine: MachineNic;
  readonly seed: SeedNic;
  readonly status: ServerNicStatus;
}

const isFinding = (result: Nic | Finding): result is Finding => 'reason' in result;

/** Networks of another namespace are usable only when they are the cloud's own; others are answered as missing. */
function usable(network: Network | undefined, key: string, {namespace}: Scope, systemNamespace: string): network is Network {
  if (network === undefined) return false;
  return key.startsWith(`${namespace}/`) || (network.metadata.namespace === systemNamespace && network.spec.type === 'Public');
}

/** The leased address pinned in the seed: the guest has it whether or not anybody serves DHCP on the network. */
function seedOf(network: Network, macAddress: string, address: string | undefined): SeedNic {
  const block = parseCidr(network.spec.cidr);
  if (address === undefined || block === undefined) return {macAddress};
  const {gateway, nameservers} = network.spec;
  return {
    macAddress,
    static: {
      address,
      prefixLength: block.prefixLength,
      ...(gateway === undefined ? {} : {gateway}),
      ...(nameservers === undefined ? {} : {nameservers: [...nameservers]}),
    },
  };
}

async function connect(deps: Deps, book: LeaseBook, scope: Scope, wanted: WantedNic, signal: AbortSignal): Promise<Nic | Finding> {
  const {server, namespace, uuid} = scope;
  const network = scope.networkOf(wanted.network);
  if (!usable(network, wanted.network, scope, deps.systemNamespace))
    return no('DependencyMissing', `network ${wanted.network} does not exist`);
  const attachment = network.status?.nad;
  if (attachment === undefined) return no('AttachmentMissing', `network ${wanted.network} has no attachment on the hosts yet`);
  const known = server.status?.nics?.find(({index, network: on}) => index === wanted.index && on === wanted.network);
  const wish = {namespace, server: server.metadata.name, index: wanted.index, uuid, addressing: wanted.addressing, address: wanted.address};
  // A MAC address without lease is recorded in the server's status alone, and kept.
  const outcome = await book.ensure({...wish, network: wanted.network, macAddress: wanted.macAddress ?? known?.macAddress}, signal);
  if (outcome === undefined) return no('DependencyMissing', `network ${wanted.network} does not exist`);
  if (outcome.kind === 'refused') return failed(outcome.reason, `NIC ${wanted.index}: ${outcome.message}`);
  const {macAddress, address} = outcome;
  const withAddress = address === undefined ? {} : {address};
  return {
    machine: {
      index: wanted.index,
      attachment: attachment.includes('/') ? attachment : `${network.metadata.namespace}/${attachment}`,
      model: wanted.model,
      macAddress,
      ...withAddress,
    },
    seed: seedOf(network, macAddress, address),
    status: {
      index: wanted.index,
      network: wanted.network,
      macAddress,
      ...withAddress,
      ...(address === undefined ? {} : {addressType: 'Fixed' as const}),
    },
  };
}

/** Runs the phase. Throws `ApiError`. */
export async function ensureNetworks(deps: Deps, book: LeaseBook, scope: Scope, signal: AbortSignal): Promise<NetworksFound> {
  const results = await Promise.all(scope.nics.map((wanted) => connect(deps, book, scope, wanted, signal)));
  const problem = results.find(isFinding);
  const nics = results.filter((result): result is Nic => !isFinding(result));
  const good =
    nics.length === 0 ? yes('NoNetworks', 'the server has no NICs') : yes('NetworksReady', 'every NIC has its network and address');
  return {
    finding: problem ?? good,
    complete: problem === undefined,
    nics: nics.map(({machine}) => machine),
    seeds: nics.map(({seed}) => seed),
    statuses: nics.map(({status}) => status).toSorted((left, right) => left.index - right.index),
  };
}
