/** Key pairs of the compute API. JSON only; addressed by name, which is unique within an account. */
import type {KeyPair} from '../../crds/index.ts';
import {inventoryName} from '../../crds/rules/names.ts';
import {isDeleting, refOfObject} from '../../kube/objects.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input} from '../http/types.ts';
import type {ComputeContext} from './context.ts';
import {empty, reply} from './format.ts';
import {readKeyPair} from './keypair-input.ts';
import {briefKeyPair, fullKeyPair} from './keypair-view.ts';
import {jsonObject} from './request-body.ts';
import {findKeyPair} from './scope.ts';

/** How many an account may have. Creates at the same moment may pass it by one or two. */
const MAX_KEY_PAIRS = 10;
/** Names that are tried when a pair that was renamed with kubectl, or is still going away, holds the one that follows from the name. */
const MAX_NAMESAKES = 5;

/** GET /os-keypairs: by name. */
export function listKeyPairs(input: Input, context: ComputeContext): Answer {
  const pairs = present(input, context).map((pair) => briefKeyPair(pair));
  const sorted = pairs.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return reply(input, 200, {keypairs: sorted.map((keypair) => ({keypair}))});
}

/** POST /os-keypairs: imports `public_key`, or makes a pair and answers its private half this once. */
export async function createKeyPair(input: Input, context: ComputeContext): Promise<Answer> {
  const {name, publicKey: imported} = readKeyPair(jsonObject(input));
  if (findKeyPair(name, input.caller, context.store) !== undefined) throw duplicate();
  if (present(input, context).length >= MAX_KEY_PAIRS)
    throw new Failure('forbidden', `Maximum number of key pairs exceeded: ${MAX_KEY_PAIRS}`);
  const made = imported === undefined ? await context.keyPairMaker.make(input.signal) : undefined;
  const keyPair = await store(name, made?.publicKey ?? imported ?? '', input, context);
  return reply(input, 201, {keypair: {...briefKeyPair(keyPair), ...(made === undefined ? {} : {private_key: made.privateKey})}});
}

/** GET /os-keypairs/{name}. */
export function getKeyPair(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, {keypair: fullKeyPair(keyPairOf(input, context))});
}

/** DELETE /os-keypairs/{name}. Servers that were made with it keep the key. */
export async function deleteKeyPair(input: Input, context: ComputeContext): Promise<Answer> {
  const keyPair = keyPairOf(input, context);
  const {uid} = keyPair.metadata;
  await context.store.keyPairs.delete(refOfObject(keyPair), {signal: input.signal, ...(uid === undefined ? {} : {uid})});
  return empty(204);
}

const duplicate = (): Failure => new Failure('conflict', 'A keypair with that name already exists');

function present({caller}: Input, {store: {keyPairs}}: ComputeContext): readonly KeyPair[] {
  return keyPairs.list(caller.namespace).filter((pair) => !isDeleting(pair));
}

function keyPairOf({params, caller}: Input, {store: stored}: ComputeContext): KeyPair {
  const keyPair = findKeyPair(params['name'] ?? '', caller, stored);
  if (keyPair === undefined) throw new Failure('not-found', 'Keypair not found.');
  return keyPair;
}

/** Its name in the cluster follows from its display name, so that of two creates at once the cluster refuses one. */
async function store(name: string, publicKey: string, {caller, signal}: Input, context: ComputeContext): Promise<KeyPair> {
  const {namespace} = caller;
  const id = await context.store.allocateId('KeyPair', signal);
  for (let attempt = 1; attempt <= MAX_NAMESAKES; attempt += 1) {
    const objectName = inventoryName(...(attempt === 1 ? [] : [String(attempt)]), name);
    try {
      return await context.store.keyPairs.create({metadata: {name: objectName, namespace}, spec: {id, name, publicKey}}, {signal});
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'already-exists') throw error;
      const holder = context.store.keyPairs.get({namespace, name: objectName});
      if (holder === undefined || (!isDeleting(holder) && holder.spec.name === name)) throw duplicate();
    }
  }
  throw duplicate();
}
