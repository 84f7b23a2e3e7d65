/** Flavor: a size of server. Cluster-scoped. */
import {displayName, idField, idRule, nameOf, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

/** Most virtual CPUs of a server. */
export const MAX_VCPUS = 512;
/** Most memory of a server, in MiB (16 TiB). */
export const MAX_MEMORY_MIB = 16_777_216;
/** Largest root disk of a server, in GiB (64 TiB). */
export const MAX_DISK_GIB = 65_536;

export const flavorSpec = s.object(
  'The size.',
  {
    id: idField,
    name: req(displayName('flavor')),
    vcpus: req(s.integer('Virtual CPUs.', {min: 1, max: MAX_VCPUS})),
    memoryMiB: req(s.integer('Memory in MiB.', {min: 16, max: MAX_MEMORY_MIB})),
    diskGiB: req(s.integer('Root disk in GiB; 0: as large as the image.', {min: 0, max: MAX_DISK_GIB})),
    diskTemplate: s.string('Kind of storage of the root disk, as Cyclades calls it.', {
      min: 1,
      max: 63,
      pattern: '^[A-Za-z0-9._-]+$',
      default: 'local',
    }),
    visibility: s.oneOf('Public: for everyone. Restricted: for the projects listed.', ['Public', 'Restricted'], {default: 'Public'}),
    creation: s.oneOf('Denied: existing servers keep it, new ones cannot have it.', ['Allowed', 'Denied'], {default: 'Allowed'}),
    projects: s.list('Projects and accounts that may use a restricted flavor.', nameOf('A Project or an Account.'), {
      max: 256,
      type: 'set',
    }),
    cpuMHz: s.integer('Share of a core in MHz per virtual CPU; absent: a whole one, shared by the cluster’s rules.', {
      min: 100,
      max: 10_000,
    }),
  },
  {rules: [idRule]},
);
export const flavorStatus = statusOf('Whether it can be used.', {});

export type FlavorSpec = Infer<typeof flavorSpec>;
export type FlavorStatus = Infer<typeof flavorStatus>;
export type Flavor = Resource<'Flavor', FlavorSpec, FlavorStatus>;

export const FLAVOR = kindType<Flavor>('Flavor', 'Cluster');

export const flavorKind = defineKind(FLAVOR, {
  shortName: 'flv',
  description: 'A Flavor is a size of server: CPUs, memory and root disk.',
  columns: [
    {name: 'CPU', type: 'integer', path: '.spec.vcpus', description: 'Virtual CPUs'},
    {name: 'Memory', type: 'integer', path: '.spec.memoryMiB', description: 'Memory in MiB'},
    {name: 'Disk', type: 'integer', path: '.spec.diskGiB', description: 'Root disk in GiB'},
    {name: 'Public', type: 'string', path: '.spec.visibility', description: 'Who may use it'},
    conditionColumn('Ready'),
    AGE,
  ],
  spec: flavorSpec,
  status: flavorStatus,
});
