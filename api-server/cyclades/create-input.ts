/**
 * Reads the body of a server create. One function per numbered check of behaviour 6.6, because their order decides which fault a client
 * sees; create.ts calls them in that order, with look-ups in between. Pure.
 */
import {hasControlCharacter} from '../../crds/rules/names.ts';
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import type {Profile} from './profile.ts';

/** Bounds of the document and of behaviour 6.6. */
export const LIMITS = {
  personalities: 5,
  personalityBytes: 10_240,
  metadataItems: 10,
  metadataKey: 50,
  metadataValue: 500,
  name: 255,
  networks: 8,
  keys: 16,
  adminPass: 10,
  adminPassMax: 256,
} as const;

/** Check 1: the members are there and of the right shape. */
export interface CreateShape {
  readonly name: string;
  readonly imageRef: string;
  readonly flavorRef: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly personality: readonly unknown[];
  readonly server: Readonly<Record<string, unknown>>;
}

const bad = (message: string): Failure => new Failure('bad-request', message);

/** Check 1. */
export function readShape(body: unknown): CreateShape {
  const server = isObject(body) ? body['server'] : undefined;
  if (!isObject(server)) throw bad('Malformed request: "server" is missing');
  const {name, imageRef, flavorRef, metadata, personality, networks} = server;
  if (typeof name !== 'string') throw bad('Malformed request: "name" is missing or not a string');
  if (name.trim() === '') throw bad('Malformed request: "name" must not be empty');
  if (imageRef === undefined || imageRef === null || imageRef === '') throw bad('Malformed request: "imageRef" is missing');
  if (typeof imageRef !== 'string') throw bad('Malformed request: "imageRef" is not a string');
  if (flavorRef === undefined || flavorRef === null || flavorRef === '') throw bad('Malformed request: "flavorRef" is missing');
  if (given(metadata) && !isObject(metadata)) throw bad('Malformed request: "metadata" is not an object');
  if (given(personality) && !Array.isArray(personality)) throw bad('Malformed request: "personality" is not a list');
  if (given(networks) && !Array.isArray(networks) && networks !== 'auto' && networks !== 'none') {
    throw bad('Malformed request: "networks" is not a list');
  }
  return {
    name,
    imageRef: lastSegment(imageRef),
    flavorRef,
    metadata: isObject(metadata) ? metadata : {},
    personality: Array.isArray(personality) ? (personality as unknown[]) : [],
    server,
  };
}

/** A file to inject. */
export interface PersonalityFile {
  readonly path: string;
  readonly content: Buffer;
  readonly owner?: string;
  readonly group?: string;
  /** Octal digits, `0600`. */
  readonly mode?: string;
}

/** Check 2: personality. */
export function readPersonality(items: readonly unknown[]): readonly PersonalityFile[] {
  if (items.length > LIMITS.personalities)
    throw new Failure('over-limit', `Maximum number of personalities exceeded: ${LIMITS.personalities}`);
  const files = items.map(readFile);
  const paths = new Set(files.map(({path}) => path));
  if (paths.size < files.length) throw bad('Malformed personality: two of them have the same path');
  return files;
}

const FILE_MEMBERS: readonly string[] = ['path', 'contents', 'owner', 'group', 'mode'];
const MAX_MODE = 0o7777;

function readFile(item: unknown): PersonalityFile {
  if (!isObject(item)) throw bad('Malformed personality: not an object');
  const extra = Object.keys(item).find((member) => !FILE_MEMBERS.includes(member));
  if (extra !== undefined) throw bad(`Malformed personality: unknown member "${extra}"`);
  const {path, contents = '', owner, group, mode} = item;
  if (typeof path !== 'string' || path === '') throw bad('Malformed personality: "path" is missing');
  if (!/^\/[^\0]{1,254}$/.test(path)) throw bad('Malformed personality: "path" is not an absolute path');
  if (typeof contents !== 'string') throw bad('Malformed personality: "contents" is not a string');
  // The limit holds for what is sent; what it decodes to is smaller.
  if (Buffer.byteLength(contents) > LIMITS.personalityBytes)
    throw new Failure('over-limit', `Maximum size of personality exceeded: ${LIMITS.personalityBytes}`);
  const content = decodeBase64(contents);
  if (content === undefined) throw bad('Malformed personality: "contents" is not base64');
  return {path, content, ...optionalText('owner', owner), ...optionalText('group', group), ...readMode(mode)};
}

function optionalText(member: 'owner' | 'group', value: unknown): {readonly owner?: string; readonly group?: string} {
  if (!given(value)) return {};
  if (typeof value !== 'string' || !/^[A-Za-z_][-\w.]{0,30}\$?$/.test(value))
    throw bad(`Malformed personality: "${member}" is not a user or group name`);
  return {[member]: value};
}

/** A JSON number is the mode itself (384 is 0600); a string is octal digits. */
function readMode(value: unknown): {readonly mode?: string} {
  if (!given(value)) return {};
  const mode =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^(0o?)?[0-7]{1,5}$/.test(value)
        ? Number.parseInt(value.replace('o', ''), 8)
        : Number.NaN;
  if (!Number.isInteger(mode) || mode < 0 || mode > MAX_MODE) throw bad('Malformed personality: "mode" is not a file mode');
  return {mode: `0${mode.toString(8).padStart(3, '0')}`};
}

/** Check 2: `user_data`, strict base64. */
export function readUserData(value: unknown): Buffer | undefined {
  if (!given(value)) return undefined;
  const decoded = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (decoded === undefined) throw bad('"user_data" is not valid base64');
  return decoded;
}

/** Check 3: the flavor's integer id, as a number or a string of digits. */
export function readFlavorRef(value: unknown): number {
  const id = typeof value === 'string' && /^\d{1,15}$/.test(lastSegment(value)) ? Number(lastSegment(value)) : value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) throw bad('Malformed request: "flavorRef" is not an integer');
  return id;
}

/** Check 4: at least ten characters with an upper-case letter, a lower-case one and a digit; undefined when absent. */
export function readAdminPass(value: unknown): string | undefined {
  if (!given(value)) return undefined;
  if (typeof value !== 'string' || !isFineAdminPass(value))
    throw bad(`"adminPass" needs at least ${LIMITS.adminPass} characters with upper-case and lower-case letters and digits`);
  return value;
}

/** The rule of passwords. The upper bound keeps a client from buying CPU with a long one. */
export function isFineAdminPass(value: string): boolean {
  return (
    value.length >= LIMITS.adminPass &&
    value.length <= LIMITS.adminPassMax &&
    /[A-Z]/.test(value) &&
    /[a-z]/.test(value) &&
    /\d/.test(value)
  );
}

/** Check 5: names of keys, at most one of the two members. */
export function readKeyNames(server: Readonly<Record<string, unknown>>): readonly string[] {
  const {key_name: single, 'SNF:key_names': several} = server;
  if (given(single) && given(several)) throw bad('"key_name" and "SNF:key_names" cannot both be given');
  const names = given(several) ? several : given(single) ? [single] : [];
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string'))
    throw bad('Malformed request: names of keys are not a list of strings');
  const distinct = [...new Set(names as string[])];
  if (distinct.length > LIMITS.keys) throw new Failure('over-limit', `Maximum number of keys exceeded: ${LIMITS.keys}`);
  return distinct;
}

/** Check 6: length and characters of the name; also of a rename. */
export function checkName(name: string): void {
  if (codePoints(name) > LIMITS.name) throw bad(`"name" is longer than ${LIMITS.name} characters`);
  if (hasControlCharacter(name)) throw bad('"name" has a control character');
}

/** One item of metadata. */
export interface MetadataItem {
  readonly key: string;
  readonly value: string;
}

/** Check 6: metadata as a list; numbers and booleans become text. Sizes only; the number is {@link checkMetadataCount}'s. */
export function readMetadata(metadata: Readonly<Record<string, unknown>>): readonly MetadataItem[] {
  return Object.entries(metadata).map(([key, value]) => {
    if (key === '' || codePoints(key) > LIMITS.metadataKey) throw bad(`Metadata keys have 1 to ${LIMITS.metadataKey} characters`);
    if (!['string', 'number', 'boolean'].includes(typeof value)) throw bad(`The value of metadata "${key}" is not a string`);
    const text = String(value);
    if (codePoints(text) > LIMITS.metadataValue)
      throw bad(`The value of metadata "${key}" is longer than ${LIMITS.metadataValue} characters`);
    return {key, value: text};
  });
}

/** More than ten items: by profile. */
export function checkMetadataCount(count: number, profile: Profile): void {
  if (count > LIMITS.metadataItems)
    throw new Failure(profile.tooMuchMetadata, `Maximum number of metadata exceeded: ${LIMITS.metadataItems}`);
}

/** One requested connection. */
export interface NetworkRequest {
  readonly uuid: string | undefined;
  readonly fixedIp: string | undefined;
  readonly port: string | undefined;
}

/** Check 8: `default` (the service's policy), `none`, or a list. */
export function readNetworks(server: Readonly<Record<string, unknown>>): 'default' | 'none' | readonly NetworkRequest[] {
  const {networks} = server;
  if (!given(networks) || networks === 'auto') return 'default';
  if (networks === 'none') return 'none';
  const items = networks as unknown[];
  // The openstack command sends an empty list with its block device mapping whenever no network was asked for.
  if (items.length === 0) return given(server['block_device_mapping_v2']) ? 'default' : 'none';
  if (items.length > LIMITS.networks) throw new Failure('over-limit', `Maximum number of networks exceeded: ${LIMITS.networks}`);
  return items.map((item) => {
    if (!isObject(item)) throw bad('Malformed request: a network is not an object');
    const request = {uuid: scalar(item['uuid']), fixedIp: scalar(item['fixed_ip']), port: scalar(item['port'])};
    if (request.uuid === undefined && request.port === undefined) throw bad('Malformed request: a network needs "uuid" or "port"');
    return request;
  });
}

const given = (value: unknown): boolean => value !== undefined && value !== null;

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
}

/** Length as the schema counts it: a character outside the basic plane is one. */
export const codePoints = (text: string): number => Array.from(text).length;

/** References may come as links: the last segment counts. */
function lastSegment(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1);
}

/** Strict base64 (line breaks allowed); undefined when it is not that. */
function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}
