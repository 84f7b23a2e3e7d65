/** Cell: a part of a Region. Cluster-scoped. */
import {count, displayName, givenUuidField, idField, idRule, nameOf, statusOf} from './common.ts';
import {capacityFields, dataField, noteField, stateField} from './inventory.ts';
import {CAPACITY_COLUMNS} from './region.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';

export const cellSpec = s.object(
  'What the cell is.',
  {
    id: idField,
    uuid: givenUuidField,
    name: req(displayName('cell')),
    region: req(nameOf('Region that the cell belongs to (its metadata.name).')),
    state: stateField,
    note: noteField,
    data: dataField,
  },
  {rules: [idRule, immutableOnceSet('uuid')]},
);
export const cellStatus = statusOf('What is in the cell.', {hosts: count('Hosts of the cell.'), ...capacityFields});

export type CellSpec = Infer<typeof cellSpec>;
export type CellStatus = Infer<typeof cellStatus>;
export type Cell = Resource<'Cell', CellSpec, CellStatus>;

export const CELL = kindType<Cell>('Cell', 'Cluster');

export const cellKind = defineKind(CELL, {
  shortName: 'cel',
  description: 'A Cell is a part of a Region: hosts belong to it, and servers can ask to run in it.',
  columns: [
    conditionColumn('Ready'),
    {name: 'Region', type: 'string', path: '.spec.region', description: 'Region of the cell'},
    {name: 'Hosts', type: 'integer', path: '.status.hosts', description: 'Hosts of the cell'},
    ...CAPACITY_COLUMNS,
    AGE,
  ],
  selectableFields: ['.spec.region'],
  spec: cellSpec,
  status: cellStatus,
});
