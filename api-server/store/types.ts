/**
 * The store: what handlers know of the cluster. Reads come from an always-current cache, writes are guarded and readable at once
 * (`create` and `update` return only when the cache shows them), waits have a deadline. Failures are thrown as `Failure`.
 */
import type {
  Account,
  Cell,
  Drive,
  Flavor,
  Host,
  Image,
  KeyPair,
  Network,
  Project,
  Region,
  Server,
  ServerGroup,
  ServerOperation,
} from '../../crds/index.ts';
import type {Change} from '../../kube/informer.ts';
import type {KubeObject, ObjectMeta, Ref, ResourceType} from '../../kube/objects.ts';

/** Something with the members that every kind of ours has. */
export interface Stored extends KubeObject {
  readonly spec: object;
  readonly status?: {readonly uuid?: string} & object;
}

/** What is handed to `create`: apiVersion and kind are filled in from the collection's type. */
export type Draft<T extends Stored> = {readonly metadata: ObjectMeta; readonly spec: T['spec']};

/** Options of a write. */
export interface WriteCall {
  readonly signal: AbortSignal;
}

/** Options of a wait: the deadline counts from the call; the signal is the request's. */
export interface WaitCall {
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

/** Options of `update`. */
export interface UpdateCall extends WriteCall {
  /** `status` writes the status subresource. */
  readonly subresource?: 'status';
}

/**
 * All objects of a kind. Objects are shared and frozen in meaning: clone before changing. Objects that are being deleted
 * (`metadata.deletionTimestamp`) are included; `isDeleting` tells.
 */
export interface Collection<T extends Stored> {
  readonly type: ResourceType<T>;
  /** Counts every change of the cache. */
  readonly revision: number;
  get(ref: Ref): T | undefined;
  /** Sorted by `spec.id`, then creation time, then name; memoised while nothing changes. */
  list(namespace?: string): readonly T[];
  /** By `spec.id`; of two with the same id the older one. `namespace` keeps to one account. */
  byId(id: number, namespace?: string): T | undefined;
  /** By `status.uuid`, else a UUID `metadata.name`, else `metadata.uid`. */
  byUuid(uuid: string, namespace?: string): T | undefined;
  /** By display name (`spec.name`, of a Host `spec.hostname`), oldest first. */
  byName(name: string, namespace?: string): readonly T[];
  /**
   * Creates; returns the object once the cache has it. `already-exists` when the name is taken, `invalid` with fields when the cluster
   * refuses it, `unavailable` when it cannot be reached.
   */
  create(draft: Draft<T>, call: WriteCall): Promise<T>;
  /**
   * Replaces with what `change` makes of the newest state, under its resourceVersion, again after a conflict (at most 8 times, backing
   * off). `change` may return undefined for "nothing to do" (no write) and may throw a `Failure`. `not-found` when it is gone.
   */
  update(ref: Ref, change: (current: T) => T | undefined, call: UpdateCall): Promise<T>;
  /** JSON merge patch without a lock; for single fields that only we write. */
  patch(ref: Ref, patch: object, call: UpdateCall): Promise<T>;
  /** Asks for deletion (background). Resolves once the cache shows it deleting or gone. `not-found` when it is not there. */
  delete(ref: Ref, call: WriteCall & {readonly uid?: string}): Promise<void>;
  /** Resolves with the first state (undefined = gone) that satisfies the predicate; `timeout` past the deadline. */
  waitFor(ref: Ref, until: (object: T | undefined) => boolean, call: WaitCall): Promise<T | undefined>;
  /** Calls back synchronously on every change of the cache; returns the function that stops it. The handler must not throw. */
  onChange(handler: (change: Change<T>) => void): () => void;
}

/** Kinds that have integer ids from a sequence. */
export type SequencedKind =
  'Region' | 'Cell' | 'Host' | 'Account' | 'Project' | 'Flavor' | 'Image' | 'Drive' | 'Server' | 'ServerGroup' | 'KeyPair' | 'Network';

/** Who claims a drive, and where it hangs. */
export interface DriveClaim {
  readonly drive: Ref;
  /** metadata.name of the Server in the drive's namespace, which need not exist yet. */
  readonly server: string;
  /** `ide:0:0`, `block:0`, `scsi:0:0`. */
  readonly slot: string;
}

/** The data of a Secret, decoded. */
export type SecretData = Readonly<Record<string, Buffer>>;

/** The whole store. */
export interface Store {
  readonly regions: Collection<Region>;
  readonly cells: Collection<Cell>;
  readonly hosts: Collection<Host>;
  readonly accounts: Collection<Account>;
  readonly projects: Collection<Project>;
  readonly flavors: Collection<Flavor>;
  readonly images: Collection<Image>;
  readonly drives: Collection<Drive>;
  readonly servers: Collection<Server>;
  readonly serverOperations: Collection<ServerOperation>;
  readonly serverGroups: Collection<ServerGroup>;
  readonly keyPairs: Collection<KeyPair>;
  readonly networks: Collection<Network>;

  /** The next integer id of a kind: persistent, never reused, shared by all replicas. */
  allocateId(kind: SequencedKind, signal: AbortSignal): Promise<number>;
  /**
   * Takes the claim by a guarded write of the drive's status. An `Exclusive` drive has at most one claim: `in-use` when another server
   * holds it. Claiming again for the same server moves the slot. `not-found` when the drive is gone or going.
   */
  claimDrive(claim: DriveClaim, call: WriteCall): Promise<Drive>;
  /** Gives the claim back; nothing happens when there is none (or the drive is gone). */
  releaseDrive(claim: Omit<DriveClaim, 'slot'>, call: WriteCall): Promise<void>;
  /** Creates a Secret (values are text or bytes). `already-exists` when it is there. */
  createSecret(
    ref: Required<Ref>,
    data: Readonly<Record<string, string | Buffer>>,
    labels: Readonly<Record<string, string>>,
    call: WriteCall,
  ): Promise<void>;
  /** As {@link createSecret}; one that is there gets these keys, and keeps its others. */
  putSecret: Store['createSecret'];
  /** What a Secret holds, as the cluster has it now: Secrets of servers are not cached. `undefined`: there is none. Never log it. */
  readSecret(ref: Required<Ref>, call: WriteCall): Promise<SecretData | undefined>;
  /** Deletes a Secret; nothing happens when there is none. */
  deleteSecret(ref: Required<Ref>, call: WriteCall): Promise<void>;
}
