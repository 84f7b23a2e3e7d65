import {expect, test} from '@jest/globals';
import {explainUnschedulable} from './placement.ts';

test.each([
  [
    '0/6 nodes are available: 2 node(s) were unschedulable, 4 Insufficient memory. preemption: 0/6 nodes are available: 6 No preemption victims found for incoming pod.',
    'NoCapacity',
    'none of 6 hosts fits: 4 not enough memory; 2 closed for maintenance',
  ],
  [
    "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.",
    'Unschedulable',
    'none of 4 hosts fits: 4 outside the wanted region, cell or host, or not fit to run servers',
  ],
  [
    "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s) {a: b, c: d}, 1 node(s) didn't match pod anti-affinity rules.",
    'NoCapacity',
    'none of 3 hosts fits: 1 not enough CPU; 1 does not take servers (taint); 1 holds a member of a group that must be kept apart',
  ],
  ['0/2 nodes are available: 2 Insufficient devices.kubevirt.io/kvm.', 'NoCapacity', 'none of 2 hosts fits: 2 no free kvm device'],
  ['0/1 nodes are available: 1 node(s) had something new.', 'Unschedulable', 'none of 1 hosts fits: 1 had something new'],
  ['running PreBind plugin: timed out', 'Unschedulable', 'running PreBind plugin: timed out'],
])('%s', (message, reason, words) => {
  expect(explainUnschedulable(message)).toEqual({reason, message: words});
});
