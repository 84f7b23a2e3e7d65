/** Drive commands: create, clone, destroy, info, list, and the standard drives. */
import {randomUUID} from 'node:crypto';
import {isDeepStrictEqual} from 'node:util';
import type {Drive} from '../../crds/index.ts';
import {uuidOf} from '../../crds/rules/ids.ts';
import {refOfObject} from '../../kube/objects.ts';
import type {Answer, Input, ModuleDeps} from '../http/types.ts';
import {activeClaims} from './claims.ts';
import {formatList, formatObject, formatObjects, parseProperties} from './codec.ts';
import {readDriveClone, readDriveCreate, readDriveSet, type DriveFields, type DriveOffer} from './drive-input.ts';
import {driveCreatedToText, driveToText, imageBytes, imageToText, isCopying, sharedDriveToText} from './drive-text.ts';
import {inUse, notFound} from './errors.ts';
import {driveContext, driveOf, drivesOf, findDrive, findSharedDrive, findStandardDrive, standardDrives} from './lookup.ts';
import {untilOrTimeout} from './settle.ts';

/** How long a blank drive may take until the answer says what is seen so far. */
const CREATED_DEADLINE_MS = 15_000;

/** How long a destroyed drive may take to go; past it, 504. */
const DESTROYED_DEADLINE_MS = 50_000;

/** No storage tier of this installation encrypts at rest, so encryption is never claimed. */
const OFFER: DriveOffer = {encryption: false};

const text = (body: string): Answer => ({status: 200, body});

const uuidIn = (input: Input): string => input.params['uuid'] ?? '';

function specOf(fields: DriveFields, id: number, source?: Drive['spec']['source']): Drive['spec'] {
  const {readers, tags, use, description, ...rest} = fields;
  return {
    id,
    ...rest,
    type: 'Disk',
    readers: [...readers],
    tags: [...tags],
    use: [...use],
    ...(description === undefined ? {} : {description}),
    ...(source === undefined ? {} : {source}),
  };
}

async function createDrive(input: Input, {store}: ModuleDeps, fields: DriveFields, source?: Drive['spec']['source']): Promise<Drive> {
  const id = await store.allocateId('Drive', input.signal);
  const metadata = {namespace: input.caller.namespace, name: randomUUID()};
  return store.drives.create({metadata, spec: specOf(fields, id, source)}, {signal: input.signal});
}

/** POST /drives/create. A blank drive is there in a moment, so the answer waits for it, and says `inactive` when it takes longer. */
export async function create(input: Input, deps: ModuleDeps): Promise<Answer> {
  const {store} = deps;
  const drive = await createDrive(input, deps, readDriveCreate(parseProperties(input.body.text()), OFFER));
  const settled = (seen: Drive | undefined): boolean =>
    seen === undefined || seen.status?.phase === 'Ready' || seen.status?.phase === 'Failed';
  await untilOrTimeout(store.drives.waitFor(refOfObject(drive), settled, {signal: input.signal, deadlineMs: CREATED_DEADLINE_MS}));
  return text(formatObject(driveCreatedToText(store.drives.get(refOfObject(drive)) ?? drive, driveContext(store, input.caller))));
}

/** POST /drives/U/clone, of an own drive, one that the caller may read, or a standard one. Answers at once: the copy shows as `imaging N%` until it is there. */
export async function clone(input: Input, deps: ModuleDeps): Promise<Answer> {
  const {store, config} = deps;
  const body = parseProperties(input.body.text());
  const own = findDrive(store, input.caller, uuidIn(input));
  const original = own ?? findSharedDrive(store, input.caller, uuidIn(input))?.drive;
  const standard = original === undefined ? findStandardDrive(deps, uuidIn(input)) : undefined;
  let drive: Drive;
  if (original !== undefined) {
    const source = {...(own === undefined ? {namespace: original.metadata.namespace ?? ''} : {}), name: original.metadata.name};
    drive = await createDrive(input, deps, readDriveClone(body, original.spec.sizeBytes, OFFER), {drive: source});
  } else if (standard !== undefined) {
    const source = {image: {namespace: config.systemNamespace, name: standard.metadata.name}};
    drive = await createDrive(input, deps, readDriveClone(body, imageBytes(standard), OFFER), source);
  } else {
    throw notFound('Drive', uuidIn(input));
  }
  return text(formatObject(driveToText(drive, driveContext(store, input.caller))));
}

/** /drives/U/destroy: 409 while a server has it or a copy of it is being made; answers when it is gone. */
export async function destroy(input: Input, {store, clock}: ModuleDeps): Promise<Answer> {
  const drive = driveOf(store, input.caller, uuidIn(input));
  const {name} = drive.metadata;
  // Readers copy it into their own namespaces.
  const copied = store.drives.list().some((other) => {
    const source = other.spec.source?.drive;
    return source?.name === name && (source.namespace ?? other.metadata.namespace) === input.caller.namespace && isCopying(other);
  });
  if (copied || activeClaims(drive, store, clock.now()).length > 0) throw inUse('Drive', uuidIn(input));
  await store.drives.delete(refOfObject(drive), {
    signal: input.signal,
    ...(drive.metadata.uid === undefined ? {} : {uid: drive.metadata.uid}),
  });
  await store.drives.waitFor(refOfObject(drive), (seen) => seen === undefined, {signal: input.signal, deadlineMs: DESTROYED_DEADLINE_MS});
  return {status: 204};
}

/** POST /drives/U/set: 200 and the drive. */
export async function set(input: Input, {store}: ModuleDeps): Promise<Answer> {
  const drive = driveOf(store, input.caller, uuidIn(input));
  const body = parseProperties(input.body.text());
  const changed = (current: Drive): Drive | undefined => {
    const {claimType = 'Exclusive', encryptionCipher = 'None', sizeBytes} = current.spec;
    const fields = readDriveSet(body, {claimType, encryptionCipher, sizeBytes});
    if (fields.claimType === 'Exclusive' && claimType === 'Shared' && (current.status?.claims ?? []).length > 1)
      throw inUse('Drive', uuidIn(input), {field: 'claim:type', echo: body});
    const spec = {...current.spec, ...fields} as Drive['spec'];
    return isDeepStrictEqual(spec, current.spec) ? undefined : {...current, spec};
  };
  const updated = await store.drives.update(refOfObject(drive), changed, {signal: input.signal});
  return text(formatObject(driveToText(updated, driveContext(store, input.caller))));
}

/** GET /drives/U/info, of an own drive, one that the caller may read, or a standard one. */
export function info(input: Input, deps: ModuleDeps): Answer {
  const own = findDrive(deps.store, input.caller, uuidIn(input));
  if (own !== undefined) return text(formatObject(driveToText(own, driveContext(deps.store, input.caller))));
  const shared = findSharedDrive(deps.store, input.caller, uuidIn(input));
  return shared === undefined ? standardInfo(input, deps) : text(formatObject(sharedDriveToText(shared.drive, shared.owner)));
}

/** GET /drives/info. */
export function infos(input: Input, {store}: ModuleDeps): Answer {
  const context = driveContext(store, input.caller);
  return text(formatObjects(drivesOf(store, input.caller).map((drive) => driveToText(drive, context))));
}

/** GET /drives/list. */
export function list(input: Input, {store}: ModuleDeps): Answer {
  return text(formatList(drivesOf(store, input.caller).map(uuidOf)));
}

/** GET /drives/standard/list, …/img/list, …/cd/list. */
export const standardList =
  (kind?: 'Disk' | 'Cdrom') =>
  (_input: Input, deps: ModuleDeps): Answer =>
    text(formatList(standardDrives(deps, kind).map(uuidOf)));

/** GET /drives/standard/info, …/img/info, …/cd/info. */
export const standardInfos =
  (kind?: 'Disk' | 'Cdrom') =>
  (_input: Input, deps: ModuleDeps): Answer =>
    text(formatObjects(standardDrives(deps, kind).map(imageToText)));

/** GET /drives/standard/img/U/info and its sisters. */
export function standardInfo(input: Input, deps: ModuleDeps): Answer {
  const standard = findStandardDrive(deps, uuidIn(input));
  if (standard === undefined) throw notFound('Drive', uuidIn(input));
  return text(formatObject(imageToText(standard)));
}
