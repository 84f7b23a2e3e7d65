/**
 * Volumes that come to a running guest and go, as a VMI's status tells: virt-controller makes the pod that brings a claim to the node
 * (AttachedToNode), the handler says when the guest has the disk (Ready), and, once the spec does not name the volume any more, when it has
 * it no more (UnMountedFromPod), upon which virt-controller removes the pod and the entry. Pure.
 */
import type {GuestFacts} from './guest.ts';
import type {Vmi, VmiStatus} from './types.ts';

type VolumeStatus = NonNullable<VmiStatus['volumeStatus']>[number];

/** Phases in which virt-controller waits for the handler's word that the guest does not have the volume. */
const HELD = new Set(['Ready', 'MountedToPod', 'AttachedToNode']);

/** The whole list with the handler's part in it; the very same list when nothing changes. */
export function volumeStatuses(vmi: Vmi, facts: GuestFacts): VmiStatus['volumeStatus'] {
  const before = vmi.status?.volumeStatus;
  if (before === undefined) return before;
  const wanted = new Set((vmi.spec.volumes ?? []).map(({name}) => name));
  const after = before.map((volume) => {
    const {name, hotplugVolume} = volume;
    if (hotplugVolume === undefined) return volume;
    const isWanted = wanted.has(name);
    // A driver that does not tell has whatever is asked for.
    const target = facts.devices === undefined ? (isWanted ? 'vdz' : undefined) : facts.devices.disks.get(name);
    return isWanted ? wantedStatus(volume, target) : leavingStatus(volume, target);
  });
  return after.every((volume, index) => volume === before[index]) ? before : after;
}

function wantedStatus(volume: VolumeStatus, target: string | undefined): VolumeStatus {
  const {name, phase, hotplugVolume} = volume;
  if ((hotplugVolume?.attachPodUID ?? '') === '') return volume; // the claim is not on the node yet, or its pod is being replaced
  if (target !== undefined) {
    if (phase === 'Ready' && volume.target === target) return volume;
    return {...volume, target, phase: 'Ready', reason: 'VolumeReady', message: `Successfully attach hotplugged volume ${name} to VM`};
  }
  if (phase !== 'AttachedToNode') return volume;
  const message = `Volume ${name} has been mounted in virt-launcher pod`;
  return {...volume, phase: 'MountedToPod', reason: 'VolumeMountedToPod', message};
}

function leavingStatus(volume: VolumeStatus, target: string | undefined): VolumeStatus {
  if (target !== undefined || !HELD.has(volume.phase ?? '')) return volume;
  const message = `Volume ${volume.name} has been unmounted from virt-launcher pod`;
  return {...volume, target: '', phase: 'UnMountedFromPod', reason: 'VolumeUnMountedFromPod', message};
}
