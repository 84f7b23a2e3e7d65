/** Builds the store: one informer and collection per kind, id sequences, Secrets. */
import {idOf, sequenceName} from '../../crds/rules/ids.ts';
import {
  ACCOUNT,
  CELL,
  DRIVE,
  FLAVOR,
  HOST,
  IMAGE,
  KEY_PAIR,
  NETWORK,
  PROJECT,
  REGION,
  SERVER,
  SERVER_GROUP,
  SERVER_OPERATION,
} from '../../crds/index.ts';
import type {KubeClient} from '../../kube/client.ts';
import type {Clock} from '../../kube/clock.ts';
import {createSequence} from '../../kube/ids.ts';
import type {Informer} from '../../kube/informer.ts';
import type {Logger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {createInformer} from '../../kube/reflector.ts';
import {SECRET, type Secret} from '../../kube/types.ts';
import {failureOf} from '../http/normalise.ts';
import {claimDrive, releaseDrive} from './claims.ts';
import {createCollection} from './collection.ts';
import {createCredentialIndex, credentialIndexes, type CredentialIndex} from './credential-index.ts';
import {INDEXES} from './indexes.ts';
import {createSecrets} from './secrets.ts';
import type {Collection, SequencedKind, Store, Stored} from './types.ts';

/** Ids reserved at once per kind and replica: a burst of creates queues on the counter once per block. */
const ID_BLOCK = 50;

/** Options of {@link createStore}. */
export interface StoreOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** `basalt-system`. */
  readonly systemNamespace: string;
}

/** The store with its life cycle and the credentials, which only authentication sees. */
export interface RunningStore extends Store {
  readonly credentials: CredentialIndex;
  /** Starts the informers; they stop with the signal. */
  start(signal: AbortSignal): void;
  /** Names of the kinds whose first list has not arrived yet; empty when ready. */
  unsynced(): readonly string[];
  /** Resolves when everything is in the cache. */
  waitForSync(signal: AbortSignal): Promise<void>;
}

/** Creates a store that is not started yet. */
export function createStore({client, clock, log, systemNamespace}: StoreOptions): RunningStore {
  const informers: {readonly kind: string; readonly informer: Informer<KubeObject>}[] = [];

  const collection = <T extends Stored>(type: ResourceType<T>): Collection<T> => {
    const informer = createInformer<T>({client, type, indexes: INDEXES, clock, log: log.child({kind: type.kind})});
    informers.push({kind: type.kind, informer: informer as unknown as Informer<KubeObject>});
    return createCollection({type, informer, client, clock});
  };

  const accounts = collection(ACCOUNT);
  const drives = collection(DRIVE);
  const secrets = createInformer<Secret>({
    client,
    type: SECRET,
    namespace: systemNamespace,
    labelSelector: 'basalt.dev/account',
    indexes: credentialIndexes,
    clock,
    log: log.child({kind: 'Secret'}),
  });
  informers.push({kind: 'Secret', informer: secrets as unknown as Informer<KubeObject>});

  /** One above the highest id in the cache: a counter that was restored from an old backup must not give one out again. */
  const floorOf = (kind: SequencedKind): number =>
    1 +
    (informers.find((entry) => entry.kind === kind)?.informer.list() ?? []).reduce(
      (max, object) => Math.max(max, idOf(object as Stored) ?? 0),
      0,
    );

  const sequences = new Map<SequencedKind, Sequence>();
  const sequenceOf = (kind: SequencedKind): Sequence => {
    const known = sequences.get(kind);
    if (known !== undefined) return known;
    const created = createSequence({
      client,
      namespace: systemNamespace,
      name: sequenceName(kind),
      blockSize: ID_BLOCK,
      clock,
      floor: () => floorOf(kind),
    });
    sequences.set(kind, created);
    return created;
  };

  return {
    regions: collection(REGION),
    cells: collection(CELL),
    hosts: collection(HOST),
    accounts,
    projects: collection(PROJECT),
    flavors: collection(FLAVOR),
    images: collection(IMAGE),
    drives,
    servers: collection(SERVER),
    serverOperations: collection(SERVER_OPERATION),
    serverGroups: collection(SERVER_GROUP),
    keyPairs: collection(KEY_PAIR),
    networks: collection(NETWORK),
    credentials: createCredentialIndex({accounts, secrets, systemNamespace}),

    async allocateId(kind, signal) {
      try {
        return await sequenceOf(kind).next(signal);
      } catch (error) {
        throw failureOf(error);
      }
    },

    claimDrive: (claim, call) => claimDrive(drives, claim, clock, call),
    releaseDrive: (claim, call) => releaseDrive(drives, claim, call),

    ...createSecrets(client),

    start(signal) {
      for (const {informer} of informers) informer.start(signal);
    },
    unsynced: () => informers.filter(({informer}) => !informer.hasSynced).map(({kind}) => kind),
    async waitForSync(signal) {
      await Promise.all(informers.map(({informer}) => informer.waitForSync(signal)));
    },
  };
}

type Sequence = ReturnType<typeof createSequence>;
