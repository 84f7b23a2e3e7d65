/**
 * What the guest runs with, against what the spec says: the restart diff. Pure. KubeVirt's own RestartRequired sticks, lies and has no
 * diff; it applies what it can while the guest runs (its template change reaches the instance), so whatever still differs between the
 * template and the instance waits for the next start.
 */
import type {ServerStatus} from '../../../crds/index.ts';
import type {InstanceSpec, VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';

type Change = NonNullable<ServerStatus['pendingChanges']>[number];

/** Field of the spec, and how to read it off a template or an instance as text. Nothing else that is generated can change. */
const FIELDS: readonly {readonly path: string; readonly read: (spec: InstanceSpec) => string}[] = [
  {path: 'spec.cpu.cores', read: ({domain}) => String(domain.cpu?.sockets ?? '')},
  {path: 'spec.cpu.mhz', read: ({domain}) => String((domain.resources?.requests as Record<string, string> | undefined)?.['cpu'] ?? '')},
  {path: 'spec.memoryMiB', read: ({domain}) => mebibytes(domain.memory?.guest)},
  {path: 'spec.disks', read: (spec) => disksOf(spec)},
  {path: 'spec.bootOrder', read: ({domain}) => bootOrderOf(domain.devices.disks ?? [])},
  {path: 'spec.nics', read: ({domain, networks}) => nicsOf(domain.devices.interfaces ?? [], networks ?? [])},
];

/** Longest value shown. */
const MAX_VALUE = 255;

/** A quantity in whole MiB where it is one; anything else as it is. The typings know quantities as strings and as something else. */
const mebibytes = (quantity: unknown): string => {
  if (typeof quantity !== 'string') return quantity === undefined ? '' : JSON.stringify(quantity);
  const match = /^(\d+)(Mi|Gi)$/.exec(quantity);
  return match === null ? quantity : String(Number(match[1]) * (match[2] === 'Gi' ? 1024 : 1));
};

function disksOf({domain, volumes}: InstanceSpec): string {
  const claims = new Map((volumes ?? []).map((volume) => [volume.name, volume.persistentVolumeClaim?.claimName]));
  const shown = (domain.devices.disks ?? []).flatMap(({name, cdrom}) => {
    const claim = claims.get(name);
    return claim === undefined ? [] : [`${name}=${claim}${cdrom === undefined ? '' : ' (Cdrom)'}`];
  });
  return shown.join(', ');
}

const bootOrderOf = (disks: readonly {readonly name: string; readonly bootOrder?: number}[]): string =>
  disks
    .filter(({bootOrder}) => bootOrder !== undefined)
    .toSorted((left, right) => (left.bootOrder ?? 0) - (right.bootOrder ?? 0))
    .map(({name}) => name)
    .join(', ');

function nicsOf(
  interfaces: readonly {readonly name: string; readonly model?: string; readonly macAddress?: string}[],
  networks: readonly {readonly name: string; readonly multus?: {readonly networkName: string}}[],
): string {
  const attachment = new Map(networks.map(({name, multus}) => [name, multus?.networkName ?? '']));
  return interfaces
    .map(({name, model, macAddress}) => `${name}=${attachment.get(name) ?? ''} ${model ?? ''} ${macAddress ?? ''}`)
    .join(', ');
}

/** The changes that wait, empty without a running guest: then the next start takes everything anyway. */
export function pendingChanges(machine: VirtualMachine | undefined, instance: VirtualMachineInstance | undefined): readonly Change[] {
  const desired = machine?.spec.template.spec;
  if (desired === undefined || instance === undefined || instance.metadata.deletionTimestamp !== undefined) return [];
  const current = instance.spec;
  return FIELDS.flatMap(({path, read}): Change[] => {
    const [before, after] = [read(current), read(desired)];
    return before === after ? [] : [{path, current: before.slice(0, MAX_VALUE), desired: after.slice(0, MAX_VALUE)}];
  });
}
