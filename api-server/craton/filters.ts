/** Query arguments of the lists. Pure. The document's default, the string `None`, means that the argument is absent. */
import type {Problems} from './errors.ts';

/** Most objects that a list gives. */
export const MAX_LIMIT = 10_000;

/** Objects that a list gives when no limit is named. */
export const DEFAULT_LIMIT = 1000;

/** Arguments of a list. What is undefined does not filter. */
export interface Filters {
  readonly limit: number;
  readonly id: number | undefined;
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  /** Name, uuid or id. */
  readonly region: string | undefined;
  readonly cell: string | undefined;
  readonly ipAddress: string | undefined;
  readonly deviceType: string | undefined;
  /** All of these. */
  readonly services: readonly string[];
}

function argument(query: URLSearchParams, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = query.get(name);
    if (value !== null && value !== '' && value !== 'None') return value;
  }
  return undefined;
}

function integer(query: URLSearchParams, name: string, problems: Problems): number | undefined {
  const text = argument(query, name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  problems.add(name, `${text} is not a number`);
  return undefined;
}

function limitOf(query: URLSearchParams, problems: Problems): number {
  const text = argument(query, 'limit');
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(limit)) problems.add('limit', `${text} is not a whole number`);
  else if (limit < 1 || limit > MAX_LIMIT) problems.add('limit', `must be from 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Reads the arguments; unknown ones are ignored. */
export function readFilters(query: URLSearchParams, problems: Problems): Filters {
  return {
    limit: limitOf(query, problems),
    id: integer(query, 'id', problems),
    name: argument(query, 'name', 'hostname'),
    uuid: argument(query, 'uuid')?.toLowerCase(),
    region: argument(query, 'region', 'region_id'),
    cell: argument(query, 'cell', 'cell_id'),
    ipAddress: argument(query, 'ip_address'),
    deviceType: argument(query, 'device_type'),
    services: query.getAll('service').filter((service) => service !== '' && service !== 'None'),
  };
}
