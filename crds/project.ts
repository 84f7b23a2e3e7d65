/** Project: a quota bucket. Cluster-scoped. */
import {MAX_DRIVE_BYTES, displayName, idField, idRule, nameOf, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

const amounts = (verb: string) => ({
  servers: s.integer(`Servers ${verb}.`, {min: 0, max: 1_000_000}),
  cores: s.integer(`Virtual CPUs ${verb}.`, {min: 0, max: 10_000_000}),
  memoryMiB: s.integer(`Memory ${verb}, in MiB.`, {min: 0, max: 1_000_000_000_000}),
  driveBytes: s.integer(`Size of drives ${verb}, in bytes.`, {min: 0, max: MAX_DRIVE_BYTES * 64}),
});

export const projectSpec = s.object(
  'Limits, and whom they bind.',
  {
    id: idField,
    name: req(displayName('project')),
    account: nameOf('Account that the project belongs to.'),
    limits: s.object('Limits; what is absent is not limited.', amounts('at most')),
    members: s.list('Accounts that use the project besides its owner.', nameOf('An Account.'), {max: 256, type: 'set'}),
  },
  {rules: [idRule]},
);
export const projectStatus = statusOf('What is used.', {
  used: s.object('Counted from the specs of servers and drives.', amounts('in use')),
});

export type ProjectSpec = Infer<typeof projectSpec>;
export type ProjectStatus = Infer<typeof projectStatus>;
export type Project = Resource<'Project', ProjectSpec, ProjectStatus>;

export const PROJECT = kindType<Project>('Project', 'Cluster');

export const projectKind = defineKind(PROJECT, {
  shortName: 'prj',
  description: 'A Project is a quota bucket: limits on the servers and drives of its accounts.',
  columns: [
    {name: 'Name', type: 'string', path: '.spec.name', description: 'Display name'},
    {name: 'Account', type: 'string', path: '.spec.account', description: 'Account that it belongs to'},
    {name: 'Servers', type: 'integer', path: '.status.used.servers', description: 'Servers in use'},
    conditionColumn('Ready'),
    AGE,
  ],
  spec: projectSpec,
  status: projectStatus,
});
