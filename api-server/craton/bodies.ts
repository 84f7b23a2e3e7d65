/**
 * From the bodies of POST /regions, /cells, /hosts to what the inventory keeps, in the documented form and in the alias form of the
 * servers that existed. Pure: every problem is collected. Unknown and read-only members are dropped.
 */
import {isIP} from 'node:net';
import {Failure} from '../http/failure.ts';
import type {Problems} from './errors.ts';
import {
  MISSING,
  readBoolean,
  readData,
  readReference,
  readString,
  readStrings,
  readText,
  readUuid,
  type Body,
  type Reference,
} from './fields.ts';
import {isObject, parseExactJson} from './json.ts';

/** Collections of the API. */
export type Kind = 'regions' | 'cells' | 'hosts';

/** What a body says of a region. */
export interface RegionFields {
  readonly name: string | undefined;
  readonly state: string | undefined;
  readonly note: string | undefined;
  readonly projectId: string | undefined;
  readonly data: Body | undefined;
}

/** What a body says of a cell. */
export interface CellFields {
  readonly name: string | undefined;
  readonly state: string | undefined;
  readonly note: string | undefined;
  readonly region: Reference | undefined;
  readonly uuid: string | undefined;
  readonly data: Body | undefined;
}

/** What a body says of a host. */
export interface HostFields {
  readonly hostname: string | undefined;
  readonly state: string | undefined;
  readonly note: string | undefined;
  readonly services: readonly string[] | undefined;
  readonly address: string | undefined;
  readonly cell: Reference | undefined;
  readonly region: Reference | undefined;
  readonly manufacturer: string | undefined;
  readonly deviceType: string | undefined;
  readonly activity: 'Active' | 'Inactive' | undefined;
  readonly uuid: string | undefined;
  readonly data: Body | undefined;
}

/** Members that only the servers that existed had. */
const ALIAS_MEMBERS = ['region_id', 'cell_id', 'device_type', 'active', 'note'];

/** Members that only the document has. */
const DOCUMENTED_MEMBERS = ['status', 'service', 'hostname', 'cell', 'region', 'cells', 'cell_uuid', 'host_uuid', 'hw_manufacturer'];

/** Whether `status`, `service`, `cell` and `region` are not demanded, because the body is written the way cratonclient does. */
export function isAliasForm(kind: Kind, body: Body, byTriple: boolean): boolean {
  const has = (member: string): boolean => Object.hasOwn(body, member);
  if (ALIAS_MEMBERS.some(has)) return true;
  if (kind === 'hosts' && has('name') && !has('hostname')) return true;
  return byTriple && has('name') && !DOCUMENTED_MEMBERS.some(has);
}

/** Parses a body that must be a JSON object. */
export function parseBody(text: string): Body {
  if (text.trim() === '') throw new Failure('bad-body', 'The request body is empty, a JSON object is expected');
  const value = parseExactJson(text);
  if (!isObject(value)) throw new Failure('bad-body', 'The request body must be a JSON object');
  return value;
}

/** Reads a region's members. */
export function readRegion(body: Body, problems: Problems): RegionFields {
  const projectId = readReference(body, 'project_id', problems);
  return {
    name: readString(body, 'name', problems),
    state: readString(body, 'status', problems),
    note: readText(body, 'note', problems),
    projectId: projectId === undefined ? undefined : String(projectId),
    data: readData(body, 'data', problems),
  };
}

/** Reads a cell's members. */
export function readCell(body: Body, problems: Problems): CellFields {
  return {
    name: readString(body, 'name', problems),
    state: readString(body, 'status', problems),
    note: readText(body, 'note', problems),
    region: readReference(body, 'region', problems) ?? readReference(body, 'region_id', problems),
    uuid: readUuid(body, 'cell_uuid', problems),
    data: readData(body, 'data', problems),
  };
}

/** Reads a host's members. */
export function readHost(body: Body, problems: Problems): HostFields {
  const address = readString(body, 'ip_address', problems);
  if (address !== undefined && isIP(address) === 0) problems.add('ip_address', `${address} is not an IPv4 or IPv6 address`);
  const active = readBoolean(body, 'active', problems);
  return {
    hostname: readString(body, 'hostname', problems) ?? readString(body, 'name', problems),
    state: readString(body, 'status', problems),
    note: readText(body, 'note', problems),
    services: readStrings(body, 'service', problems),
    address,
    cell: readReference(body, 'cell', problems) ?? readReference(body, 'cell_id', problems),
    region: readReference(body, 'region', problems) ?? readReference(body, 'region_id', problems),
    manufacturer: readString(body, 'hw_manufacturer', problems),
    deviceType: readString(body, 'device_type', problems),
    activity: active === undefined ? undefined : active ? 'Active' : 'Inactive',
    uuid: readUuid(body, 'host_uuid', problems),
    data: readData(body, 'data', problems),
  };
}

const has = (body: Body, member: string): boolean => Object.hasOwn(body, member) && body[member] !== null && body[member] !== undefined;

function demand(body: Body, members: readonly string[], problems: Problems): void {
  for (const member of members) if (!has(body, member)) problems.add(member, MISSING);
}

/** Adds a problem for every member that a create of this kind needs and the body lacks. */
export function demandForCreate(kind: Kind, body: Body, byTriple: boolean, problems: Problems): void {
  const alias = isAliasForm(kind, body, byTriple);
  switch (kind) {
    case 'regions':
      demand(body, alias ? ['name'] : ['name', 'status'], problems);
      break;
    case 'cells':
      demand(body, alias ? ['name'] : ['name', 'region', 'status'], problems);
      if (alias && !has(body, 'region') && !has(body, 'region_id')) problems.add('region_id', MISSING);
      break;
    case 'hosts':
      demand(body, alias ? ['ip_address'] : ['cell', 'hostname', 'ip_address', 'service', 'status'], problems);
      if (!alias) break;
      if (!has(body, 'name') && !has(body, 'hostname')) problems.add('name', MISSING);
      if (!['region', 'region_id', 'cell', 'cell_id'].some((member) => has(body, member)))
        problems.add('region_id', `${MISSING}, or cell_id`);
      break;
  }
}
