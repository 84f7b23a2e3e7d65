/** What servers must not share, and what they must not leave behind. */
import {DRIVE, NETWORK, SERVER} from '../../crds/index.ts';
import type {Network, Server} from '../../crds/index.ts';
import {waitFor} from '../../hack/cluster/waiting.ts';
import type {KubeClient} from '../../kube/client.ts';
import type {ResourceType} from '../../kube/objects.ts';
import {PERSISTENT_VOLUME_CLAIM, SECRET} from '../../kube/types.ts';
import {DATA_VOLUME, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../../operator/kubevirt/types.ts';
import {HOME} from './server-bench.ts';
import type {Witness} from './witness.ts';

/** Everything that is made for a server or a drive, in its namespace. */
const KINDS = [
  SERVER,
  DRIVE,
  VIRTUAL_MACHINE,
  VIRTUAL_MACHINE_INSTANCE,
  DATA_VOLUME,
  PERSISTENT_VOLUME_CLAIM,
  SECRET,
] as unknown as readonly ResourceType[];

/** What appears more than once. */
export const repeated = <T>(values: readonly T[]): readonly T[] => values.filter((value, at) => values.indexOf(value) !== at);

/**
 * What of these servers, which run, is there twice or shared with any other, in words: machines and guests that ever existed, ids, addresses,
 * MAC addresses. Empty when all is well.
 */
export async function doubled(client: KubeClient, witness: Witness, servers: readonly Server[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const {metadata, status} of servers) {
    // After an outage the watches come back one after another.
    await witness.until(witness.machines, metadata.name, (machine) => machine !== undefined);
    await witness.until(witness.guests, metadata.name, (guest) => guest !== undefined);
    for (const kind of ['VirtualMachine', 'VirtualMachineInstance'] as const) {
      const count = witness.count(kind, metadata.name);
      if (count !== 1) found.push(`${metadata.name} has had ${count} of ${kind}`);
    }
    if ((status?.nics ?? []).length === 0) found.push(`${metadata.name} has no NIC to compare`);
  }
  const {items} = await client.list(SERVER);
  const nics = items.flatMap(({status}) => status?.nics ?? []);
  found.push(
    ...repeated(items.map(({spec}) => spec.id)).map((id) => `id ${id} twice`),
    ...repeated(nics.flatMap(({address}) => address ?? [])).map((address) => `address ${address} twice`),
    ...repeated(nics.map(({macAddress}) => macAddress)).map((mac) => `MAC address ${mac} twice`),
  );
  return found;
}

/** What of the names in question is left in the demo account's namespace, in leases of networks and in claims on drives, in words. */
async function remains(client: KubeClient, belongs: (name: string) => boolean): Promise<readonly string[]> {
  const objects = await Promise.all(
    KINDS.map(async (type) =>
      (await client.list(type, {namespace: HOME})).items.map(({metadata: {name}}) => ({name, text: `${type.kind} ${name}`})),
    ),
  );
  const networks: readonly Network[] = (await client.list(NETWORK)).items;
  const leases = networks
    .flatMap(({status}) => status?.leases ?? [])
    .filter(({namespace}) => namespace === HOME)
    .map(({server, address}) => ({name: server, text: `lease of ${address} by ${server}`}));
  const claims = (await client.list(DRIVE, {namespace: HOME})).items.flatMap(({metadata, status}) =>
    (status?.claims ?? []).map(({server}) => ({name: server, text: `claim of ${server} on ${metadata.name}`})),
  );
  return [...objects.flat(), ...leases, ...claims].filter(({name}) => belongs(name)).map(({text}) => text);
}

/** Resolves once nothing of the names in question is left; rejects past the deadline with what is. */
export async function nothingRemains(client: KubeClient, belongs: (name: string) => boolean, deadlineMs: number): Promise<void> {
  const probe = async (): Promise<string | undefined> => {
    const left = await remains(client, belongs);
    return left.length === 0 ? undefined : left.join(', ');
  };
  await waitFor(probe, {what: 'nothing left behind', deadlineMs, intervalMs: 250});
}
