/**
 * What to change about the devices of a running guest: from what its VMI asks for and what it has. Pure. KubeVirt changes a running VMI's
 * spec only by hotplug: volumes come and go (with an attachment pod each time), interfaces come, and go by their state.
 */
import type {DeviceFacts} from '../guest.ts';
import type {Vmi} from '../types.ts';
import {plannedNics} from './machine.ts';
import type {DiskSpec, MachinePlan, PlannedDisk, PlannedNic} from './machine.ts';

/** One change. */
export type DeviceStep =
  | {readonly do: 'plug-disk'; readonly spec: DiskSpec}
  | {readonly do: 'unplug-disk'; readonly disk: PlannedDisk}
  | {readonly do: 'insert'; readonly disk: PlannedDisk}
  | {readonly do: 'eject'; readonly disk: PlannedDisk}
  | {readonly do: 'plug-nic'; readonly nic: PlannedNic}
  | {readonly do: 'unplug-nic'; readonly nic: PlannedNic}
  | {readonly do: 'set-link'; readonly nic: PlannedNic; readonly up: boolean};

/** What a step is called in messages, and the name under which its failures are counted. */
export function nameOfStep(step: DeviceStep): string {
  switch (step.do) {
    case 'plug-disk':
      return `plug disk ${step.spec.name}`;
    case 'unplug-disk':
      return `unplug disk ${step.disk.name}`;
    case 'insert':
      return `insert ${step.disk.name}`;
    case 'eject':
      return `eject ${step.disk.name}`;
    case 'plug-nic':
      return `plug interface ${step.nic.name}`;
    case 'unplug-nic':
      return `unplug interface ${step.nic.name}`;
    case 'set-link':
      return `link of interface ${step.nic.name} ${step.up ? 'up' : 'down'}`;
    default:
      return step satisfies never;
  }
}

/** The changes, in the order in which they are made: first what goes. */
export function deviceSteps(vmi: Vmi, plan: MachinePlan): readonly DeviceStep[] {
  return [...diskSteps(vmi, plan), ...nicSteps(vmi, plan)];
}

function diskSteps(vmi: Vmi, plan: MachinePlan): readonly DeviceStep[] {
  const volumes = new Set((vmi.spec.volumes ?? []).map(({name}) => name));
  const specs = (vmi.spec.domain.devices?.disks ?? []) as readonly DiskSpec[];
  const steps: DeviceStep[] = [];
  for (const disk of plan.disks) {
    if (disk.file === undefined || volumes.has(disk.name)) continue;
    steps.push({do: disk.kind === 'cdrom' ? 'eject' : 'unplug-disk', disk});
  }
  const attached = (vmi.status?.volumeStatus ?? []).filter(({hotplugVolume}) => (hotplugVolume?.attachPodUID ?? '') !== '');
  for (const {name} of attached) {
    const spec = specs.find((each) => each.name === name);
    if (spec === undefined || !volumes.has(name)) continue;
    const disk = plan.disks.find((each) => each.name === name);
    if (disk === undefined) steps.push({do: 'plug-disk', spec});
    else if (disk.file === undefined) steps.push({do: 'insert', disk});
  }
  return steps;
}

function nicSteps(vmi: Vmi, plan: MachinePlan): readonly DeviceStep[] {
  const wanted = plannedNics(vmi, []);
  const present = new Map(plan.nics.map((nic) => [nic.name, nic]));
  const names = new Set(wanted.map(({name}) => name));
  const gone = plan.nics.filter(({name}) => !names.has(name)).map((nic): DeviceStep => ({do: 'unplug-nic', nic}));
  // Positions in the VMI's list move when one goes; a NIC keeps the number that it was plugged in with.
  const taken = new Set(plan.nics.map(({index}) => index));
  const lowest = (): number => {
    let index = 0;
    while (taken.has(index)) index++;
    taken.add(index);
    return index;
  };
  return [
    ...gone,
    ...wanted.flatMap((nic): readonly DeviceStep[] => {
      const has = present.get(nic.name);
      if (has === undefined) return [{do: 'plug-nic', nic: {...nic, index: lowest()}}];
      return has.linkUp === nic.linkUp ? [] : [{do: 'set-link', nic: has, up: nic.linkUp}];
    }),
  ];
}

/** The devices of a machine, as statuses tell them. A guest's own names are guessed from the order of its disks. */
export function deviceFacts(plan: MachinePlan): DeviceFacts {
  const counts = {vd: 0, sd: 0, sr: 0};
  const letters = (prefix: keyof typeof counts): string => {
    const number = counts[prefix]++;
    return prefix === 'sr' ? `sr${number}` : `${prefix}${String.fromCharCode(97 + (number % 26))}`;
  };
  const disks = plan.disks.map((disk) => ({disk, target: letters(disk.kind === 'cdrom' ? 'sr' : disk.bus === 'virtio' ? 'vd' : 'sd')}));
  return {
    disks: new Map(disks.flatMap(({disk, target}) => (disk.file === undefined ? [] : [[disk.name, target] as const]))),
    nics: new Map(plan.nics.map(({name, linkUp}) => [name, linkUp])),
  };
}
