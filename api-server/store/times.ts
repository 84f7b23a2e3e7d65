/**
 * When an object was last changed, as the APIs show it. Kubernetes records no such time; it is the latest of: creation, the annotation
 * that every REST write of the spec leaves, condition changes, history and deletion. All RFC 3339.
 */
import type {KubeObject} from '../../kube/objects.ts';
import type {Stored} from './types.ts';

/** Annotation with the time of the last change of the spec over REST. */
export const UPDATED_AT = 'basalt.dev/updated-at';

interface Dated {
  readonly conditions?: readonly {readonly lastTransitionTime?: string}[];
  readonly history?: readonly {readonly time?: string}[];
}

/** Milliseconds since the epoch of creation; 0 when unknown. */
export function createdMs(object: KubeObject): number {
  return parse(object.metadata.creationTimestamp) ?? 0;
}

/** Milliseconds since the epoch of the last change. */
export function updatedMs(object: Stored): number {
  const status = (object.status ?? {}) as Dated;
  const times = [
    object.metadata.creationTimestamp,
    object.metadata.annotations?.[UPDATED_AT],
    object.metadata.deletionTimestamp,
    ...(status.conditions ?? []).map(({lastTransitionTime}) => lastTransitionTime),
    ...(status.history ?? []).map(({time}) => time),
  ];
  return Math.max(0, ...times.map((time) => parse(time) ?? 0));
}

/** The same object with the annotation set to `nowMs`: what a translator returns when it changes a spec. */
export function touched<T extends KubeObject>(object: T, nowMs: number): T {
  const annotations = {...object.metadata.annotations, [UPDATED_AT]: new Date(nowMs).toISOString()};
  return {...object, metadata: {...object.metadata, annotations}};
}

function parse(time: string | undefined): number | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}
