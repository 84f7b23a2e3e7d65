/** Cells of the inventory. */
import type {Cell} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {readCell} from './bodies.ts';
import {givenUuid, matchesIdentity, timesOf} from './document.ts';
import type {InventoryKind} from './kind.ts';
import {find} from './view.ts';
import {isDeleting} from '../../kube/objects.ts';

/** See kind.ts. */
export const CELLS: InventoryKind<Cell> = {
  path: 'cells',
  what: 'Cell',
  sequence: 'Cell',
  collection: (store) => store.cells,
  sees: (view, cell) => view.seesCell(cell),

  document(cell, view) {
    const region = view.regionOf(cell);
    return {
      id: cell.spec.id,
      cell_uuid: uuidOf(cell),
      name: cell.spec.name,
      status: cell.spec.state,
      region: region?.spec.name ?? cell.spec.region,
      region_id: region?.spec.id,
      project_id: region?.spec.projectId,
      note: cell.spec.note,
      data: cell.spec.data ?? {},
      ...timesOf(cell),
    };
  },

  matches(cell, {id, uuid, name, region: wanted}, view) {
    if (!matchesIdentity(cell, id, uuid) || (name !== undefined && cell.spec.name !== name)) return false;
    return wanted === undefined || isNamed(view.regionOf(cell), wanted);
  },

  plan(body, current, view, problems) {
    const fields = readCell(body, problems);
    const region = fields.region === undefined ? undefined : find(view.store.regions, fields.region, view.seesRegion, 'Region');
    if (fields.region !== undefined && region === undefined) problems.add('region', `Region not found: ${fields.region}`);
    const regionName = region?.metadata.name ?? current?.spec.region ?? '';
    if (
      current !== undefined &&
      regionName !== current.spec.region &&
      view.store.hosts.list().some((host) => host.spec.cell === current.metadata.name)
    ) {
      problems.add('region', 'cannot be changed while hosts are in the cell');
    }
    const uuid = givenUuid('cell_uuid', fields.uuid, current, problems);
    const name = fields.name ?? current?.spec.name ?? '';
    const spec: Cell['spec'] = {
      ...current?.spec,
      name,
      region: regionName,
      ...(fields.state === undefined ? {} : {state: fields.state}),
      ...(fields.note === undefined ? {} : {note: fields.note}),
      ...(fields.data === undefined ? {} : {data: fields.data}),
      ...(uuid === undefined ? {} : {uuid: uuid.value}),
    };
    return {spec, key: [regionName, name], member: 'name', name, ...(uuid === undefined ? {} : {uuid})};
  },

  sameKey: (other, spec) => other.spec.name === spec.name && other.spec.region === spec.region,

  referredBy(cell, view) {
    const {name} = cell.metadata;
    if (view.store.hosts.list().some((host) => host.spec.cell === name && !isDeleting(host))) return 'hosts';
    return view.store.servers.list().some((server) => server.spec.placement?.cell === name && !isDeleting(server)) ? 'servers' : undefined;
  },
};

/** Whether a filter's value (name, uuid or id) means this object. */
export function isNamed(
  object: ({readonly spec: {readonly id?: number | undefined; readonly name: string}} & Parameters<typeof uuidOf>[0]) | undefined,
  wanted: string,
): boolean {
  return (
    object !== undefined && (object.spec.name === wanted || String(object.spec.id) === wanted || uuidOf(object) === wanted.toLowerCase())
  );
}
