/**
 * POST /servers. The checks run in the order of behaviour 6.6; then the boot Secret and the Server are written at the same time, so that
 * an acknowledged create costs the latency of one write.
 */
import {randomUUID} from 'node:crypto';
import {FINALIZER, LABELS} from '../../crds/index.ts';
import type {Flavor, Image, KeyPair, Network, Server} from '../../crds/index.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Caller, Input} from '../http/types.ts';
import type {Draft} from '../store/types.ts';
import type {ComputeContext} from './context.ts';
import {
  checkMetadataCount,
  checkName,
  readAdminPass,
  readFlavorRef,
  readKeyNames,
  readMetadata,
  readNetworks,
  readPersonality,
  readShape,
  readUserData,
  LIMITS,
  type MetadataItem,
  type NetworkRequest,
  type PersonalityFile,
} from './create-input.ts';
import {reply} from './format.ts';
import {imageMetadata} from './image-view.ts';
import {profileOf} from './profile.ts';
import {jsonObject} from './request-body.ts';
import {findImage, findKeyPair, findNetwork, projectsOf, seesFlavor} from './scope.ts';
import {sourcesOf} from './server-bytes.ts';
import {fullServer} from './server-view.ts';
import {hashForShadow} from './sha512-crypt.ts';
import {isDeleting} from '../../kube/objects.ts';

/** A create that passed every check. */
export interface CheckedCreate {
  readonly name: string;
  readonly flavor: Flavor;
  readonly image: Image;
  readonly keyPairs: readonly KeyPair[];
  readonly metadata: readonly MetadataItem[];
  readonly personality: readonly PersonalityFile[];
  readonly userData: Buffer | undefined;
  /** Undefined: the default policy. */
  readonly nics: NonNullable<Server['spec']['nics']> | undefined;
  readonly adminPass: string;
  readonly passwordHash: string;
}

/** POST /servers. */
export async function createServer(input: Input, context: ComputeContext): Promise<Answer> {
  const checked = check(jsonObject(input, {strict: true}), input, context);
  const id = await context.store.allocateId('Server', input.signal);
  const {draft, secret} = draftServer(checked, {id, name: randomUUID(), namespace: input.caller.namespace});
  const server = await write(draft, secret, input, context);
  // The operator may have begun already; a create is answered as a create.
  const view = fullServer(sourcesOf(context, server, input.caller, input));
  const body = {...view, status: 'BUILD', 'SNF:task_state': 'BUILDING', progress: 0, adminPass: checked.adminPass};
  return reply(input, profileOf(input.mount).created, {server: body});
}

/** Every check that needs no write, in order. */
export function check(body: unknown, {caller, mount}: Pick<Input, 'caller' | 'mount'>, context: ComputeContext): CheckedCreate {
  const {store} = context;
  const shape = readShape(body);
  const personality = readPersonality(shape.personality);
  const userData = readUserData(shape.server['user_data']);
  const flavor = usableFlavor(readFlavorRef(shape.flavorRef), shape.server['project'], caller, context);
  const given = readAdminPass(shape.server['adminPass']);
  const keyPairs = readKeyNames(shape.server).map((name) => {
    const pair = findKeyPair(name, caller, store);
    if (pair === undefined) throw new Failure('not-found', `Key "${name}" not found.`);
    return pair;
  });
  checkName(shape.name);
  const metadata = readMetadata(shape.metadata);
  checkMetadataCount(metadata.length, profileOf(mount));
  const image = findImage(shape.imageRef, caller, store);
  if (image === undefined) throw new Failure('not-found', 'Image not found.');
  const nics = connect(readNetworks(shape.server), caller, context);
  const {password, hash} = given === undefined ? context.adminPasses.take() : {password: given, hash: hashForShadow(given)};
  return {
    name: shape.name,
    flavor,
    image,
    keyPairs,
    metadata: withImageMetadata(metadata, image),
    personality,
    userData,
    nics,
    adminPass: password,
    passwordHash: hash,
  };
}

/** Check 3. A flavor that is granted to none of the caller's projects does not exist for it. */
function usableFlavor(id: number, project: unknown, caller: Caller, {store}: ComputeContext): Flavor {
  const projects = projectsOf(caller, store);
  const flavor = store.flavors.byId(id);
  if (flavor === undefined || isDeleting(flavor) || !seesFlavor(flavor, projects)) throw new Failure('not-found', 'Flavor not found.');
  if (typeof project === 'string' && project !== '') {
    const granted = flavor.spec.visibility !== 'Restricted' || flavor.spec.projects?.includes(project) === true;
    if (!projects.has(project)) throw new Failure('forbidden', `Not a member of project "${project.slice(0, 64)}".`);
    if (!granted) throw new Failure('forbidden', 'The project has no access to the flavor.');
  }
  if (flavor.spec.creation === 'Denied') throw new Failure('forbidden', 'It is not allowed to create a server from this flavor.');
  return flavor;
}

/** The image's OS and USERS are the server's too, unless the client says otherwise or there is no room left. Pure. */
export function withImageMetadata(metadata: readonly MetadataItem[], image: Image): readonly MetadataItem[] {
  const told = new Set(metadata.map(({key}) => key.toUpperCase()));
  const taken = Object.entries(imageMetadata(image))
    .filter(
      ([key, value]) => ['OS', 'USERS'].includes(key.toUpperCase()) && !told.has(key.toUpperCase()) && value.length <= LIMITS.metadataValue,
    )
    .map(([key, value]) => ({key, value}));
  return [...metadata, ...taken].slice(0, Math.max(metadata.length, LIMITS.metadataItems));
}

/** Check 8. */
function connect(requested: ReturnType<typeof readNetworks>, caller: Caller, context: ComputeContext): CheckedCreate['nics'] {
  if (requested === 'default') return undefined;
  if (requested === 'none') return [];
  return requested.map((request, index) => nicOf(request, index, caller, context));
}

type Nic = NonNullable<Server['spec']['nics']>[number];

function nicOf({uuid, fixedIp, port}: NetworkRequest, index: number, caller: Caller, {store, config}: ComputeContext): Nic {
  if (port !== undefined) throw new Failure('not-found', `Port "${port.slice(0, 64)}" not found.`);
  const network = findNetwork(uuid ?? '', caller, store, config.systemNamespace);
  if (network === undefined) throw new Failure('not-found', `Network "${(uuid ?? '').slice(0, 64)}" not found.`);
  const {name, namespace} = network.metadata;
  const nic = {index, network: {...(namespace === undefined ? {} : {namespace}), name}};
  if (fixedIp !== undefined) {
    if (isLeased(network, fixedIp)) throw new Failure('conflict', `Address ${fixedIp.slice(0, 45)} is in use.`);
    // On a public network an address belongs to whoever holds it as a floating IP.
    if (network.spec.type === 'Public')
      throw new Failure('conflict', `Address ${fixedIp.slice(0, 45)} is not a free floating IP of yours.`);
    return {...nic, addressing: 'Static', address: fixedIp};
  }
  if (network.spec.type === 'Public' && network.status?.free === 0)
    throw new Failure('conflict', 'The public network has no free address.');
  return nic;
}

function isLeased(network: Network, address: string): boolean {
  return network.status?.leases?.some((lease) => lease.address === address) === true;
}

/** The resource and the Secret of a create. Pure. */
export function draftServer(
  {name, flavor, image, keyPairs, metadata, personality, userData, nics, passwordHash}: CheckedCreate,
  at: {readonly id: number; readonly name: string; readonly namespace: string},
): {readonly draft: Draft<Server>; readonly secret: {readonly name: string; readonly data: Readonly<Record<string, string | Buffer>>}} {
  const secretName = `${at.name}-boot`;
  const contents = personality.map(({content}, index) => [`file-${index}`, content] as const);
  const imageNamespace = image.metadata.namespace;
  return {
    draft: {
      // Born with the operator's finalizer, which spares it the write that would come before everything else.
      metadata: {name: at.name, namespace: at.namespace, finalizers: [FINALIZER]},
      spec: {
        id: at.id,
        name,
        powerState: 'Running',
        lifecycle: 'Persistent',
        flavor: flavor.metadata.name,
        image: {...(imageNamespace === undefined ? {} : {namespace: imageNamespace}), name: image.metadata.name},
        ...(nics === undefined ? {} : {nics}),
        bootSecret: {name: secretName},
        ...(personality.length === 0
          ? {}
          : {
              personality: personality.map(({path, owner, group, mode}, index) => ({
                path,
                contentKey: `file-${index}`,
                ...(owner === undefined ? {} : {owner}),
                ...(group === undefined ? {} : {group}),
                ...(mode === undefined ? {} : {mode}),
              })),
            }),
        ...(keyPairs.length === 0 ? {} : {keyPairs: keyPairs.map((pair) => pair.metadata.name)}),
        ...(metadata.length === 0 ? {} : {metadata}),
      },
    },
    secret: {name: secretName, data: {passwordHash, ...(userData === undefined ? {} : {userData}), ...Object.fromEntries(contents)}},
  };
}

/** Both or neither: what was written is taken back when the other write fails. */
async function write(
  draft: Draft<Server>,
  secret: {readonly name: string; readonly data: Readonly<Record<string, string | Buffer>>},
  input: Input,
  {store, clock}: ComputeContext,
): Promise<Server> {
  const {signal, caller} = input;
  const {name} = draft.metadata;
  const secretRef = {namespace: caller.namespace, name: secret.name};
  const [server, boot] = await Promise.allSettled([
    store.servers.create(draft, {signal}),
    store.createSecret(secretRef, secret.data, {[LABELS.server]: name}, {signal}),
  ]);
  if (server.status === 'fulfilled' && boot.status === 'fulfilled') return server.value;
  const failure = server.status === 'rejected' ? server.reason : boot.status === 'rejected' ? boot.reason : undefined;
  input.log.warn({err: failure, server: name}, 'server create failed, taking back what was written');
  // The request's own signal may be what ended it: the clean-up gets time of its own.
  const cleanup = new AbortController();
  const stop = clock.setTimer(CLEANUP_MS, () => cleanup.abort(new Failure('timeout')));
  try {
    const undone = await Promise.allSettled([
      store.deleteSecret(secretRef, {signal: cleanup.signal}),
      store.servers.delete({namespace: caller.namespace, name}, {signal: cleanup.signal}).catch((error: unknown) => {
        if (!(error instanceof Failure && error.code === 'not-found')) throw error;
      }),
    ]);
    for (const {reason} of undone.filter((result) => result.status === 'rejected'))
      input.log.error({err: reason as unknown, server: name}, 'half a server may be left behind');
  } finally {
    stop();
  }
  throw failure;
}

const CLEANUP_MS = 10_000;
