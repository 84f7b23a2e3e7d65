/** Region: the top of the inventory tree. Cluster-scoped. */
import {count, displayName, idField, idRule, projectIdField, statusOf} from './common.ts';
import {capacityFields, dataField, noteField, stateField} from './inventory.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Column, Resource} from './resource.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';

export const regionSpec = s.object(
  'What the region is.',
  {
    id: idField,
    name: req(displayName('region')),
    projectId: projectIdField,
    state: stateField,
    note: noteField,
    data: dataField,
  },
  {rules: [idRule, immutableOnceSet('projectId')]},
);
export const regionStatus = statusOf('What is in the region.', {
  cells: count('Cells of the region.'),
  hosts: count('Hosts of the region.'),
  ...capacityFields,
});

export type RegionSpec = Infer<typeof regionSpec>;
export type RegionStatus = Infer<typeof regionStatus>;
export type Region = Resource<'Region', RegionSpec, RegionStatus>;

export const REGION = kindType<Region>('Region', 'Cluster');

/** Columns that Region and Cell end with. */
export const CAPACITY_COLUMNS: readonly Column[] = [
  {name: 'Servers', type: 'integer', path: '.status.servers', description: 'Servers that run here'},
  {name: 'CPU-Free', type: 'integer', path: '.status.free.cpuCores', description: 'Whole cores left'},
  {name: 'Mem-Free', type: 'integer', path: '.status.free.memoryMiB', description: 'MiB of memory left'},
];

export const regionKind = defineKind(REGION, {
  shortName: 'rgn',
  description: 'A Region is the top of the inventory tree: cells and hosts belong to it, and servers can ask to run in it.',
  columns: [
    conditionColumn('Ready'),
    {name: 'Cells', type: 'integer', path: '.status.cells', description: 'Cells of the region'},
    {name: 'Hosts', type: 'integer', path: '.status.hosts', description: 'Hosts of the region'},
    ...CAPACITY_COLUMNS,
    AGE,
  ],
  spec: regionSpec,
  status: regionStatus,
});
