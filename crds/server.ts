/** Server: a virtual machine of an account. Namespaced. Its parts are in server-spec.ts and server-status.ts. */
import {AGE, DISPLAY, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import type {Infer} from './schema.ts';
import {serverSpec} from './server-spec.ts';
import {serverStatus} from './server-status.ts';

export {serverSpec} from './server-spec.ts';
export type {ServerDisk, ServerNic, ServerPersonality} from './server-spec.ts';
export {SERVER_PHASES, TASK_STATES, serverStatus} from './server-status.ts';
export type {ServerNicStatus, ServerPhase, ServerResources, ServerTaskState} from './server-status.ts';

export type ServerSpec = Infer<typeof serverSpec>;
export type ServerStatus = Infer<typeof serverStatus>;
export type Server = Resource<'Server', ServerSpec, ServerStatus>;

export const SERVER = kindType<Server>('Server', 'Namespaced');

export const serverKind = defineKind(SERVER, {
  shortName: 'srv',
  description: 'A Server is a virtual machine of an account: power, size, drives, NICs, first-boot data and placement.',
  maxNameLength: 53, // <name>-cloudinit is a Secret, and a volume of the pod
  columns: [
    DISPLAY,
    {name: 'Status', type: 'string', path: '.status.phase', description: 'Phase'},
    conditionColumn('Ready'),
    {name: 'Power', type: 'string', path: '.spec.powerState', description: 'Power state that is wanted'},
    {name: 'Flavor', type: 'string', path: '.spec.flavor', description: 'Flavor', priority: 1},
    {name: 'CPU', type: 'integer', path: '.status.resources.cores', description: 'Virtual CPUs', priority: 1},
    {name: 'Memory', type: 'integer', path: '.status.resources.memoryMiB', description: 'Memory in MiB', priority: 1},
    {name: 'IP', type: 'string', path: '.status.ip', description: 'First address'},
    {name: 'Host', type: 'string', path: '.status.host', description: 'Host that it runs on'},
    {
      name: 'Reason',
      type: 'string',
      path: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready or not',
      priority: 1,
    },
    AGE,
  ],
  selectableFields: ['.status.phase', '.spec.placement.region', '.spec.placement.cell', '.spec.placement.host'],
  spec: serverSpec,
  status: serverStatus,
});
