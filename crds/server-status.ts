/** `status` of a Server. */
import {MAC_ADDRESS, foreignName, nameOf, percent, statusOf} from './common.ts';
import {MAX_DISK_GIB, MAX_MEMORY_MIB, MAX_VCPUS} from './flavor.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

/** Phases, in the words of Cyclades. */
export const SERVER_PHASES = ['BUILD', 'ACTIVE', 'STOPPED', 'REBOOT', 'RESIZE', 'PAUSED', 'ERROR', 'DELETING', 'UNKNOWN'] as const;
/** What is being done, in the words of Cyclades; empty: nothing. */
export const TASK_STATES = ['', 'BUILDING', 'STARTING', 'STOPPING', 'REBOOTING', 'RESIZING', 'DESTROYING'] as const;

const phase = s.oneOf('Summary of the conditions, for columns and selectors.', SERVER_PHASES);
const reason = (description: string) => s.string(description, {max: 128, pattern: '^([A-Z][A-Za-z0-9]*)?$'});

const resources = s.object('Sizes as resolved, once per flavor.', {
  flavor: nameOf('Flavor that they come from.'),
  cores: s.integer('Virtual CPUs.', {min: 1, max: MAX_VCPUS}),
  cpuMHz: s.integer('Computing power in MHz over all virtual CPUs.', {min: 0, max: 5_120_000}),
  memoryMiB: s.integer('Memory in MiB.', {min: 1, max: MAX_MEMORY_MIB}),
  diskGiB: s.integer('Root disk in GiB.', {min: 0, max: MAX_DISK_GIB}),
});

const nic = s.object('A network interface as it is.', {
  index: req(s.integer('Index.', {min: 0, max: 7})),
  network: s.string('Network as `namespace/name`.', {max: 127}),
  macAddress: s.string('MAC address.', {min: 17, max: 17, pattern: MAC_ADDRESS}),
  address: s.string('Address; absent: none.', {max: 45}),
  addressType: s.oneOf('Fixed: its own. Floating: can move to another server.', ['Fixed', 'Floating']),
});

export const serverStatus = statusOf('What the server does.', {
  phase,
  taskState: s.oneOf('What is being done; empty: nothing.', TASK_STATES),
  progressPercent: percent('How far the first start is, in percent.'),
  fault: s.object('What went wrong; absent: nothing.', {
    message: s.string('For a person.', {max: 1024}),
    reason: reason('As one word of the catalogue.'),
    time: s.time('When.'),
  }),
  ip: s.string('First address.', {max: 45}),
  host: foreignName('Host that it runs on, or the Node when no Host is bound to that.'),
  nodeName: foreignName('Node that it runs on.'),
  startedAt: s.time('When the guest was started; absent while it does not run.'),
  resources,
  nics: s.listMap('Network interfaces.', nic, {key: 'index', max: 8}),
  virtualMachine: foreignName('VirtualMachine of the server.'),
  pendingChanges: s.list(
    'Changes that take effect at the next start.',
    s.object('A change.', {
      path: req(s.string('Field of the spec.', {min: 1, max: 255})),
      current: s.string('What the guest runs with.', {max: 255}),
      desired: s.string('What the spec says.', {max: 255}),
    }),
    {max: 32},
  ),
  history: s.list(
    'The last phases, oldest first.',
    s.object('A change of phase.', {time: req(s.time('When.')), phase: req(phase), reason: reason('Why.')}),
    {max: 10},
  ),
});

/** A phase. */
export type ServerPhase = (typeof SERVER_PHASES)[number];
/** A task state. */
export type ServerTaskState = (typeof TASK_STATES)[number];
/** Sizes as resolved. */
export type ServerResources = Infer<typeof resources>;
/** A network interface as it is. */
export type ServerNicStatus = Infer<typeof nic>;
