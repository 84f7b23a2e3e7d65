/** Hosts of the inventory. */
import type {Cell, Host, Region} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {Failure} from '../http/failure.ts';
import {readHost, type HostFields} from './bodies.ts';
import {isNamed} from './cells.ts';
import {givenUuid, matchesIdentity, timesOf} from './document.ts';
import type {Problems} from './errors.ts';
import type {InventoryKind} from './kind.ts';
import {find, type View} from './view.ts';

/** See kind.ts. */
export const HOSTS: InventoryKind<Host> = {
  path: 'hosts',
  what: 'Host',
  sequence: 'Host',
  collection: (store) => store.hosts,
  sees: (view, host) => view.seesHost(host),

  document(host, view) {
    const {spec} = host;
    const region = view.regionOf(host);
    const cell = view.cellOf(host);
    return {
      id: spec.id,
      host_uuid: uuidOf(host),
      hostname: spec.hostname,
      name: spec.hostname,
      status: spec.state,
      service: spec.services ?? [],
      ip_address: spec.address,
      cell: cell?.spec.name ?? spec.cell,
      cell_id: cell?.spec.id,
      region: region?.spec.name ?? spec.region,
      region_id: region?.spec.id,
      project_id: region?.spec.projectId,
      hw_manufacturer: spec.manufacturer,
      device_type: spec.type,
      active: spec.activity === undefined ? undefined : spec.activity === 'Active',
      note: spec.note,
      data: spec.data ?? {},
      ...timesOf(host),
    };
  },

  matches(host, filters, view) {
    const {spec} = host;
    if (!matchesIdentity(host, filters.id, filters.uuid)) return false;
    if (filters.name !== undefined && spec.hostname !== filters.name) return false;
    if (filters.ipAddress !== undefined && spec.address !== filters.ipAddress) return false;
    if (filters.deviceType !== undefined && spec.type !== filters.deviceType) return false;
    if (!filters.services.every((service) => spec.services?.includes(service) === true)) return false;
    if (filters.cell !== undefined && !isNamed(view.cellOf(host), filters.cell)) return false;
    return filters.region === undefined || isNamed(view.regionOf(host), filters.region);
  },

  plan(body, current, view, problems) {
    const fields = readHost(body, problems);
    const place = placeOf(fields, current, view, problems);
    const uuid = givenUuid('host_uuid', fields.uuid, current, problems);
    const hostname = fields.hostname ?? current?.spec.hostname ?? '';
    const {cell: _cell, ...kept} = current?.spec ?? {};
    const spec: Host['spec'] = {
      ...kept,
      hostname,
      region: place.region,
      ...(place.cell === undefined ? {} : {cell: place.cell}),
      ...(fields.state === undefined ? {} : {state: fields.state}),
      ...(fields.note === undefined ? {} : {note: fields.note}),
      ...(fields.services === undefined ? {} : {services: [...fields.services]}),
      ...(fields.address === undefined ? {} : {address: fields.address}),
      ...(fields.manufacturer === undefined ? {} : {manufacturer: fields.manufacturer}),
      ...(fields.deviceType === undefined ? {} : {type: fields.deviceType}),
      ...(fields.activity === undefined ? {} : {activity: fields.activity}),
      ...(fields.data === undefined ? {} : {data: fields.data}),
      ...(uuid === undefined ? {} : {uuid: uuid.value}),
    };
    return {spec, key: [place.region, hostname], member: 'hostname', name: hostname, ...(uuid === undefined ? {} : {uuid})};
  },

  sameKey: (other, spec) => other.spec.hostname === spec.hostname && other.spec.region === spec.region,

  referredBy(host, view) {
    const {name} = host.metadata;
    const holds = (server: {
      readonly spec: {readonly placement?: {readonly host?: string | undefined} | undefined};
      readonly status?: {readonly host?: string | undefined} | undefined;
    }): boolean => server.status?.host === name || server.spec.placement?.host === name;
    return view.store.servers.list().some(holds) ? 'servers' : undefined;
  },
};

/** Cluster names of the region and cell of a host: the cell decides the region, and both may not contradict each other. */
function placeOf(
  fields: HostFields,
  current: Host | undefined,
  view: View,
  problems: Problems,
): {region: string; cell: string | undefined} {
  const region = fields.region === undefined ? undefined : find(view.store.regions, fields.region, view.seesRegion, 'Region');
  if (fields.region !== undefined && region === undefined) problems.add('region', `Region not found: ${fields.region}`);
  const cell = findCell(fields, region, view, problems);
  if (cell !== undefined) {
    if (region !== undefined && cell.spec.region !== region.metadata.name) problems.add('cell', `is not in region ${region.spec.name}`);
    return {region: cell.spec.region, cell: cell.metadata.name};
  }
  const moved = region !== undefined && region.metadata.name !== current?.spec.region;
  return {region: region?.metadata.name ?? current?.spec.region ?? '', cell: moved ? undefined : current?.spec.cell};
}

/** The cell that the body names; with a region beside it, a name that several regions have is told apart. */
function findCell(fields: HostFields, region: Region | undefined, view: View, problems: Problems): Cell | undefined {
  if (fields.cell === undefined) return undefined;
  const visible = (cell: Cell): boolean => view.seesCell(cell) && (region === undefined || cell.spec.region === region.metadata.name);
  try {
    const cell = find(view.store.cells, fields.cell, visible, 'Cell');
    if (cell === undefined) problems.add('cell', `Cell not found: ${fields.cell}`);
    return cell;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.add('cell', error.message);
    return undefined;
  }
}
