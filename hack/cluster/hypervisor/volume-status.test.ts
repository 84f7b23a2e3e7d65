import {expect, test} from '@jest/globals';
import type {GuestFacts} from './guest.ts';
import {vmi} from './testing/objects.ts';
import {volumeStatuses} from './volume-status.ts';

const has = (...names: readonly string[]): GuestFacts => ({
  machineType: 'q35',
  devices: {disks: new Map(names.map((name) => [name, 'vdb'])), nics: new Map()},
});
const seen = (phase: string, wanted: boolean, change: object = {}) =>
  vmi({
    spec: {volumes: wanted ? [{name: 'more'}] : []},
    status: {volumeStatus: [{name: 'more', phase, target: '', hotplugVolume: {attachPodUID: 'p'}, ...change}]},
  });

test.each<[string, ReturnType<typeof vmi>, GuestFacts, string | undefined]>([
  ['on the node, not in the guest yet', seen('AttachedToNode', true), has(), 'MountedToPod'],
  ['in the guest', seen('MountedToPod', true), has('more'), 'Ready vdb'],
  ['in the guest, said before', seen('Ready', true, {target: 'vdb'}), has('more'), undefined],
  ['its pod is being replaced', seen('Ready', true, {hotplugVolume: {attachPodUID: ''}}), has('more'), undefined],
  ['waiting for its claim', seen('Pending', true, {hotplugVolume: {}}), has(), undefined],
  ['to go, still in the guest', seen('Ready', false, {target: 'vdb'}), has('more'), undefined],
  ['to go, not in the guest any more', seen('Ready', false, {target: 'vdb'}), has(), 'UnMountedFromPod'],
  ['gone, and virt-controller takes its pod away', seen('Detaching', false), has(), undefined],
  ['of a volume that was there from the start', seen('', true, {hotplugVolume: undefined}), has(), undefined],
  ['of a guest that does not tell', seen('AttachedToNode', true), {machineType: 'q35'}, 'Ready vdz'],
  ['of a guest that does not tell, to go', seen('Ready', false), {machineType: 'q35'}, 'UnMountedFromPod'],
])('%s', (_name, asked, facts, expected) => {
  const after = volumeStatuses(asked, facts);
  if (expected === undefined) expect(after).toBe(asked.status?.volumeStatus);
  else expect(`${after?.[0]?.phase ?? ''} ${after?.[0]?.target ?? ''}`.trim()).toBe(expected);
});
