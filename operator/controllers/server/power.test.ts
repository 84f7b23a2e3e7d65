import {describe, expect, test} from '@jest/globals';
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';
import {planPower} from './power.ts';
import type {PowerView} from './power.ts';

interface MachineFacts {
  readonly spec?: string;
  readonly seen?: string;
  readonly created?: boolean;
  readonly requests?: readonly string[];
  readonly generation?: number;
  readonly observed?: number;
}
const machine = ({spec = 'RerunOnFailure', seen, created, requests = [], generation = 3, observed}: MachineFacts = {}): VirtualMachine =>
  ({
    metadata: {name: 'web', generation},
    spec: {runStrategy: spec},
    status: {runStrategy: seen, created, observedGeneration: observed, stateChangeRequests: requests.map((action) => ({action}))},
  }) as unknown as VirtualMachine;
const instance = (phase = 'Running', terminationGracePeriodSeconds = 300): VirtualMachineInstance =>
  ({metadata: {name: 'web'}, spec: {terminationGracePeriodSeconds}, status: {phase}}) as unknown as VirtualMachineInstance;

const plan = (view: Partial<PowerView>) =>
  planPower({
    wanted: 'Running',
    offMode: 'TrySoft',
    mayStart: true,
    machine: undefined,
    instance: undefined,
    seenRunning: true,
    evicted: false,
    ...view,
  });

describe('wanted: Running', () => {
  test.each<[string, Partial<PowerView>, object]>([
    ['no machine yet', {}, {runStrategy: 'RerunOnFailure'}],
    ['no machine, and a drive is missing', {mayStart: false}, {runStrategy: 'Halted'}],
    ['halted and taken notice of', {machine: machine({spec: 'Halted', seen: 'Halted'})}, {runStrategy: 'RerunOnFailure'}],
    ['halted since it was made', {machine: machine({spec: 'Halted'})}, {runStrategy: 'RerunOnFailure'}],
    ['halted, a drive is missing', {machine: machine({spec: 'Halted', seen: 'Halted'}), mayStart: false}, {runStrategy: 'Halted'}],
    [
      'halted, the status still shows running: the start would be invisible',
      {machine: machine({spec: 'Halted', seen: 'RerunOnFailure'})},
      {runStrategy: 'Halted'},
    ],
    [
      'halted, the guest is still going down',
      {machine: machine({spec: 'Halted', seen: 'Halted'}), instance: instance()},
      {runStrategy: 'Halted'},
    ],
    [
      'halted, the instance is only known to the machine',
      {machine: machine({spec: 'Halted', seen: 'Halted', created: true})},
      {runStrategy: 'Halted'},
    ],
    ['running', {machine: machine({seen: 'RerunOnFailure', created: true}), instance: instance()}, {runStrategy: 'RerunOnFailure'}],
    [
      'running, a drive was lost',
      {machine: machine({seen: 'RerunOnFailure', created: true}), instance: instance(), mayStart: false},
      {runStrategy: 'RerunOnFailure'},
    ],
    ['first start under way', {machine: machine()}, {runStrategy: 'RerunOnFailure'}],
    ['restart under way', {machine: machine({seen: 'Halted'})}, {runStrategy: 'RerunOnFailure'}],
    [
      'crashed: a start request is pending',
      {machine: machine({seen: 'RerunOnFailure', requests: ['Start']})},
      {runStrategy: 'RerunOnFailure'},
    ],
    [
      'the instance is there but not in our cache',
      {machine: machine({seen: 'RerunOnFailure', created: true})},
      {runStrategy: 'RerunOnFailure'},
    ],
    [
      'the guest switched itself off',
      {machine: machine({seen: 'RerunOnFailure', created: false})},
      {runStrategy: 'RerunOnFailure', guestStopped: true},
    ],
    [
      'it did so before it was seen running: the present spec has run',
      {machine: machine({seen: 'RerunOnFailure', observed: 3}), seenRunning: false},
      {runStrategy: 'RerunOnFailure', guestStopped: true},
    ],
    [
      'the start was lost: the present spec never ran',
      {machine: machine({seen: 'RerunOnFailure', observed: 2}), seenRunning: false},
      {runStrategy: 'RerunOnFailure', call: {kind: 'start', why: 'lost'}},
    ],
    [
      'evicted',
      {machine: machine({seen: 'RerunOnFailure'}), evicted: true},
      {runStrategy: 'RerunOnFailure', call: {kind: 'start', why: 'evicted'}},
    ],
    ['gone, and a drive is missing', {machine: machine({seen: 'RerunOnFailure'}), mayStart: false, evicted: true}, {runStrategy: 'Halted'}],
    [
      'somebody wrote Always',
      {machine: machine({spec: 'Always', seen: 'Always', created: true}), instance: instance()},
      {runStrategy: 'RerunOnFailure'},
    ],
  ])('%s', (_name, view, expected) => {
    expect(plan(view)).toEqual(expected);
  });
});

describe('wanted: Stopped', () => {
  test.each<[string, Partial<PowerView>, object]>([
    ['no machine yet', {}, {runStrategy: 'Halted'}],
    ['TrySoft shortens the grace', {instance: instance()}, {runStrategy: 'Halted', call: {kind: 'stop', gracePeriodSeconds: 60}}],
    ['Soft leaves the guest its time', {instance: instance(), offMode: 'Soft'}, {runStrategy: 'Halted'}],
    ['Hard is at once', {instance: instance(), offMode: 'Hard'}, {runStrategy: 'Halted', call: {kind: 'stop', gracePeriodSeconds: 0}}],
    [
      'Hard after TrySoft',
      {instance: instance('Running', 60), offMode: 'Hard'},
      {runStrategy: 'Halted', call: {kind: 'stop', gracePeriodSeconds: 0}},
    ],
    ['the grace is short already', {instance: instance('Running', 60)}, {runStrategy: 'Halted'}],
    ['the guest has ended', {instance: instance('Succeeded'), offMode: 'Hard'}, {runStrategy: 'Halted'}],
    ['the guest has failed', {instance: instance('Failed'), offMode: 'Hard'}, {runStrategy: 'Halted'}],
  ])('%s', (_name, view, expected) => {
    expect(plan({wanted: 'Stopped', machine: machine({seen: 'RerunOnFailure'}), ...view})).toEqual(expected);
  });
});
