/** Regions of the inventory. */
import type {Region} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {readRegion} from './bodies.ts';
import {CELLS} from './cells.ts';
import {matchesIdentity, timesOf} from './document.ts';
import type {InventoryKind} from './kind.ts';
import {normalProject, type View} from './view.ts';
import {isDeleting} from '../../kube/objects.ts';

const cellsOf = (region: Region, view: View) =>
  view.store.cells.list().filter((cell) => cell.spec.region === region.metadata.name && view.seesCell(cell));

/** See kind.ts. */
export const REGIONS: InventoryKind<Region> = {
  path: 'regions',
  what: 'Region',
  sequence: 'Region',
  collection: (store) => store.regions,
  sees: (view, region) => view.seesRegion(region),

  document: (region, view) => ({
    id: region.spec.id,
    uuid: uuidOf(region),
    name: region.spec.name,
    status: region.spec.state,
    project_id: region.spec.projectId,
    note: region.spec.note,
    cells: cellsOf(region, view).map((cell) => CELLS.document(cell, view)),
    data: region.spec.data ?? {},
    ...timesOf(region),
  }),

  matches: (region, {id, uuid, name}) => matchesIdentity(region, id, uuid) && (name === undefined || region.spec.name === name),

  plan(body, current, view, problems) {
    const fields = readRegion(body, problems);
    const projectId = projectFor(fields.projectId, current, view);
    if (projectId === undefined) problems.add('project_id', `${fields.projectId} is not a project that this region may be in`);
    const name = fields.name ?? current?.spec.name ?? '';
    const spec: Region['spec'] = {
      ...current?.spec,
      name,
      projectId: projectId ?? view.project,
      ...(fields.state === undefined ? {} : {state: fields.state}),
      ...(fields.note === undefined ? {} : {note: fields.note}),
      ...(fields.data === undefined ? {} : {data: fields.data}),
    };
    return {spec, key: [spec.projectId ?? '', name], member: 'name', name};
  },

  sameKey: (other, spec) => other.spec.name === spec.name && (other.spec.projectId ?? '') === (spec.projectId ?? ''),

  referredBy(region, view) {
    const {name} = region.metadata;
    if (view.store.cells.list().some((cell) => cell.spec.region === name && !isDeleting(cell))) return 'cells';
    if (view.store.hosts.list().some((host) => host.spec.region === name && !isDeleting(host))) return 'hosts';
    return view.store.servers.list().some((server) => server.spec.placement?.region === name && !isDeleting(server))
      ? 'servers'
      : undefined;
  },
};

/** The project that a region is put into; undefined when the caller may not choose that one. */
function projectFor(wanted: string | undefined, current: Region | undefined, view: View): string | undefined {
  if (wanted === undefined) return current?.spec.projectId ?? view.project;
  const project = normalProject(wanted);
  // A region stays where it is: cells, hosts and their names hang on it.
  if (current?.spec.projectId !== undefined) return project === normalProject(current.spec.projectId) ? current.spec.projectId : undefined;
  return view.admin || project === view.project ? project : undefined;
}
