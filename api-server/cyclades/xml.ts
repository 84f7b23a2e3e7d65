/**
 * XML forms of compute answers, made from the JSON ones. Only the documented kinds have one; the rest stays JSON. Pure.
 */
import {isObject} from '../http/body.ts';

const NAMESPACE = 'http://docs.openstack.org/compute/api/v1.1';
const ATOM = 'http://www.w3.org/2005/Atom';

type Json = Record<string, unknown>;

/** The XML of an answer by its root member; undefined when that kind has none. */
export function toXml(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const names = Object.keys(body);
  // An item answer carries both `metadata` and `meta`; its XML is a single meta element.
  const root = names.includes('addresses') ? 'addresses' : names.includes('meta') ? 'meta' : names[0];
  if (root === undefined) return undefined;
  const render = ROOTS[root];
  if (render === undefined) return undefined;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render(body[root], ` xmlns="${NAMESPACE}" xmlns:atom="${ATOM}"`)}\n`;
}

/** The XML of a fault. */
export function faultXml(
  name: string,
  {code, message, details}: {readonly code: number; readonly message: string; readonly details: string},
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${NAMESPACE}" code="${code}">${element('message', {}, text(message))}${element('details', {}, text(details))}</${name}>\n`;
}

type Render = (value: unknown, root: string) => string;

const ROOTS: Readonly<Record<string, Render>> = {
  server: (value, root) => server(object(value), root),
  servers: (value, root) =>
    `<servers${root}>${list(value)
      .map((item) => server(item, ''))
      .join('')}</servers>`,
  flavor: (value, root) => flavor(object(value), root),
  flavors: (value, root) =>
    `<flavors${root}>${list(value)
      .map((item) => flavor(item, ''))
      .join('')}</flavors>`,
  image: (value, root) => image(object(value), root),
  images: (value, root) =>
    `<images${root}>${list(value)
      .map((item) => image(item, ''))
      .join('')}</images>`,
  metadata: (value, root) => metadata(value, root),
  meta: (value, root) => metas(value, root),
  addresses: (value, root) => addresses(value, root),
  network: (value, root) => networks(value, root),
  stats: (value, root) => element('stats', object(value), '', root),
  console: (value, root) => element('console', object(value), '', root),
};

function server(item: Json, root: string): string {
  const brief = item['status'] === undefined;
  const attributes: Json = brief
    ? {id: item['id'], name: item['name']}
    : {
        created: item['created'],
        description: item['description'] ?? item['name'],
        flavorRef: object(item['flavor'])['id'],
        hostId: item['hostId'],
        id: item['id'],
        imageRef: object(item['image'])['id'],
        name: item['name'],
        progress: item['progress'],
        status: item['status'],
        updated: item['updated'],
        adminPass: item['adminPass'],
      };
  const children = brief ? '' : metadata(item['metadata'], '') + addresses(item['addresses'], '');
  return element('server', attributes, children, root);
}

function flavor(item: Json, root: string): string {
  // The original's XML says `cpu` where its JSON says `vcpus`.
  return element('flavor', {id: item['id'], name: item['name'], ram: item['ram'], cpu: item['vcpus'], disk: item['disk']}, '', root);
}

function image(item: Json, root: string): string {
  const {id, name, serverRef, updated, created, status, progress} = item;
  return element(
    'image',
    {id, name, serverRef, updated, created, status, progress},
    item['metadata'] === undefined ? '' : metadata(item['metadata'], ''),
    root,
  );
}

function metadata(value: unknown, root: string): string {
  return `<metadata${root}>${metas(value, '')}</metadata>`;
}

function metas(value: unknown, root: string): string {
  return Object.entries(object(value))
    .map(([key, item]) => element('meta', {key}, text(item), root))
    .join('');
}

function addresses(value: unknown, root: string): string {
  return `<addresses${root}>${networks(value, '')}</addresses>`;
}

function networks(value: unknown, root: string): string {
  return Object.entries(object(value))
    .map(([id, ips]) =>
      element(
        'network',
        {id},
        list(ips)
          .map(({version, addr}) => element('ip', {version, addr}, ''))
          .join(''),
        root,
      ),
    )
    .join('');
}

/** An element; attributes that are undefined or not scalar are left out. */
function element(name: string, attributes: Json, children: string, root = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => ` ${key}="${text(value)}"`)
    .join('');
  return children === '' ? `<${name}${root}${written}/>` : `<${name}${root}${written}>${children}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;'};

/** Escapes, and drops the control characters and lone surrogates that XML 1.0 cannot carry at all. */
function text(value: unknown): string {
  return Array.from(String(value))
    .filter((char) => isXmlCharacter(char.codePointAt(0) ?? 0))
    .map((char) => ESCAPES[char] ?? char)
    .join('');
}

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
}

const object = (value: unknown): Json => (isObject(value) ? value : {});
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);
