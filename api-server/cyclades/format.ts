/** JSON or XML: what the client asked for, and the answer in it. */
import {joinJson} from '../store/bytes.ts';
import type {Answer, PublicInput} from '../http/types.ts';
import {toXml} from './xml.ts';

/** Content type of XML answers. */
export const XML_TYPE = 'application/xml; charset=UTF-8';

/** Formats of answers. */
export type Format = 'json' | 'xml';

/** What the choice depends on. `suffix` is what {@link stripSuffix} found. */
export interface FormatRequest {
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly suffix: Format | undefined;
}

/** Order: query (`format=xml`, bare `?xml`), path suffix, the first of the two types in `Accept`, JSON. Pure. */
export function chooseFormat({query, accept, suffix}: FormatRequest): Format {
  const named = query.get('format');
  if (named === 'json' || named === 'xml') return named;
  if (query.has('json')) return 'json';
  if (query.has('xml')) return 'xml';
  if (suffix !== undefined) return suffix;
  for (const range of (accept ?? '').split(',')) {
    const type = range.split(';', 1)[0]?.trim().toLowerCase();
    if (type === 'application/json') return 'json';
    if (type === 'application/xml') return 'xml';
  }
  return 'json';
}

/** Splits `.json` or `.xml` off a path, except off a metadata key or a keypair name, which may end so themselves. Pure. */
export function stripSuffix(path: string): {readonly path: string; readonly suffix: Format | undefined} {
  const found = /^(.+)\.(json|xml)$/.exec(path);
  if (found === null || /\/metadata\/|^\/os-keypairs\//.test(path)) return {path, suffix: undefined};
  return {path: found[1] ?? path, suffix: found[2] === 'xml' ? 'xml' : 'json'};
}

/** The format of a request; `path` as it was sent. */
export function formatOf({query, headers}: Pick<PublicInput, 'query' | 'headers'>, path: string): Format {
  return chooseFormat({query, accept: headers.accept, suffix: stripSuffix(path).suffix});
}

/** An answer in the asked format; kinds without an XML form stay JSON. */
export function reply(input: PublicInput, status: number, body: object): Answer {
  if (formatOf(input, input.rawPath) === 'xml') {
    const xml = toXml(body);
    if (xml !== undefined) return {status, headers: {'content-type': XML_TYPE}, body: xml};
  }
  return {status, body};
}

/** An answer without a body. */
export function empty(status: number): Answer {
  return {status};
}

/** A collection from serialised members: concatenated as they are for JSON, rendered again only for the rare XML reader. */
export function replyList(input: PublicInput, member: string, parts: readonly Buffer[]): Answer {
  if (formatOf(input, input.rawPath) === 'xml')
    return reply(input, 200, {[member]: parts.map((part) => JSON.parse(part.toString('utf8')) as unknown)});
  return {status: 200, body: joinJson(`{"${member}":[`, parts, ']}')};
}
