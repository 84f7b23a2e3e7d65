/** What a URL of the fake API server names. */
import type {ResourceType} from '../objects.ts';
import {FakeStatusError} from './fake-objects.ts';
import type {CollectionName} from './fake-store.ts';

/** A kind's collection, one object in it, or a subresource of that. */
export interface Route {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly collection: CollectionName;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** A discovery document: `group` and `version` of which the resources are asked. */
export interface DiscoveryRoute {
  readonly group: string;
  readonly version: string;
}

/** The collection of a kind. */
export const collectionOf = (type: Pick<ResourceType, 'group' | 'plural'>): CollectionName =>
  type.group === '' ? type.plural : `${type.plural}.${type.group}`;

/** Parses a path. Throws 404 for what is no resource path. */
export function parsePath(path: string): Route | DiscoveryRoute {
  const steps = path.split('/').filter(Boolean).map(decodeURIComponent);
  const root = steps.shift();
  if (root !== 'api' && root !== 'apis') throw new FakeStatusError(404, 'NotFound', `no such path: ${path}`);
  const group = root === 'api' ? '' : (steps.shift() ?? '');
  const version = steps.shift();
  if (version === undefined) throw new FakeStatusError(404, 'NotFound', `no such path: ${path}`);
  if (steps.length === 0) return {group, version};
  // `namespaces/x/pods` names pods in x, while `namespaces`, `namespaces/x` and `namespaces/x/status` are about the namespace itself.
  const scoped = steps[0] === 'namespaces' && steps.length >= 3 && !['status', 'finalize'].includes(steps[2] ?? '');
  const namespace = scoped ? steps[1] : undefined;
  const [plural = '', name, subresource] = scoped ? steps.slice(2) : steps;
  return {group, version, plural, collection: collectionOf({group, plural}), namespace, name, subresource};
}

/** Whether the server leaves `apiVersion` and `kind` out of list items: it does for kinds compiled into it. */
export const isBuiltIn = (group: string): boolean => group === '' || !group.includes('.') || group.endsWith('.k8s.io');
