/** What the operations (operations.ts) need to know of a kind; regions.ts, cells.ts and hosts.ts say it. */
import type {Collection, SequencedKind, Store, Stored} from '../store/types.ts';
import type {Kind} from './bodies.ts';
import type {Document} from './document.ts';
import type {Problems} from './errors.ts';
import type {Body} from './fields.ts';
import type {Filters} from './filters.ts';
import type {View} from './view.ts';

/** The parts of a spec that every kind of the inventory has. */
export interface InventorySpec {
  readonly id?: number | undefined;
  readonly data?: Body | undefined;
}

/** An object of the inventory. */
export type InventoryObject = Stored & {readonly spec: InventorySpec};

/** A spec together with what makes its object unique. */
export interface Plan<S> {
  readonly spec: S;
  /** The whole unique key, from which the cluster name is derived. */
  readonly key: readonly string[];
  /** Member and display name, for the message when it is taken. */
  readonly member: string;
  readonly name: string;
  /** The UUID that a new object brings with it. */
  readonly uuid?: {readonly member: string; readonly value: string};
}

/** One kind of the inventory. */
export interface InventoryKind<T extends InventoryObject> {
  readonly path: Kind;
  readonly what: 'Region' | 'Cell' | 'Host';
  readonly sequence: SequencedKind;
  collection(store: Store): Collection<T>;
  sees(view: View, object: T): boolean;
  document(object: T, view: View): Document;
  matches(object: T, filters: Filters, view: View): boolean;
  /**
   * The spec that a body asks for: a new one, or `current` with the members that were sent. Problems are added to `problems`, and the
   * plan is not used when there are any.
   */
  plan(body: Body, current: T | undefined, view: View, problems: Problems): Plan<T['spec']>;
  /** Whether `other` occupies the place that the plan's object would have. */
  sameKey(other: T, spec: T['spec']): boolean;
  /** What still refers to the object, in words; undefined when it may be deleted. */
  referredBy(object: T, view: View): string | undefined;
}
