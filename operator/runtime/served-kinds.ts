/**
 * Which kinds the API server serves. KubeVirt, CDI or Multus may be installed after the operator, or never: a kind is asked for in the
 * discovery document of its group until it is there, and only then is its informer started. A missing kind never stops the others.
 */
import type {KubeClient} from '../../kube/client.ts';
import type {Clock} from '../../kube/clock.ts';
import type {Logger} from '../../kube/log.ts';
import {apiVersionOf} from '../../kube/objects.ts';
import type {ResourceType} from '../../kube/objects.ts';

/** What identifies a kind in discovery. */
export type KindName = Pick<ResourceType, 'group' | 'version' | 'plural'>;

/** `plural.group`, as `kubectl api-resources` and CRD names show it. */
export const qualifiedName = (type: KindName): string => (type.group === '' ? type.plural : `${type.plural}.${type.group}`);

/** First wait between two looks, in milliseconds; doubles up to the second. A newly installed KubeVirt is found within 15 s. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Keeps asking for kinds until they are served. */
export interface ServedKinds {
  /** Calls `onServed` once, as soon as the kind is served. */
  expect(type: KindName, onServed: () => void): void;
  served(type: KindName): boolean;
  /** Kinds that are not served yet, by qualified name. */
  readonly missing: readonly string[];
  /** Resolves after the first complete look: from then on `served` is an answer, not ignorance. */
  readonly looked: Promise<void>;
  /** Looks until the signal aborts; resolves then. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes a {@link ServedKinds} that knows nothing yet. */
export function createServedKinds(options: {readonly client: KubeClient; readonly clock: Clock; readonly log: Logger}): ServedKinds {
  const {client, clock, log} = options;
  const waiting = new Map<string, {readonly type: KindName; readonly callbacks: (() => void)[]}>();
  const found = new Set<string>();
  const {promise: looked, resolve: lookDone} = Promise.withResolvers<void>();
  let wakeUp = (): void => undefined;

  const pluralsOf = async (apiVersion: string, group: string, signal: AbortSignal): Promise<ReadonlySet<string>> => {
    const path = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
    const answer = await client.raw('GET', path, {signal, acceptErrors: true});
    if (answer.status === 404) return new Set();
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}`);
    const body = JSON.parse(answer.body.toString('utf8')) as {readonly resources?: readonly {readonly name: string}[]};
    return new Set((body.resources ?? []).map((resource) => resource.name));
  };

  const look = async (signal: AbortSignal): Promise<void> => {
    const groups = new Map<string, KindName[]>();
    for (const {type} of waiting.values()) groups.set(apiVersionOf(type), [...(groups.get(apiVersionOf(type)) ?? []), type]);
    await Promise.all(
      [...groups].map(async ([apiVersion, types]) => {
        const plurals = await pluralsOf(apiVersion, types[0]?.group ?? '', signal);
        for (const type of types.filter(({plural}) => plurals.has(plural))) {
          const name = qualifiedName(type);
          found.add(name);
          const callbacks = waiting.get(name)?.callbacks ?? [];
          waiting.delete(name);
          for (const callback of callbacks) callback();
        }
      }),
    );
  };

  return {
    looked,
    expect(type, onServed) {
      const name = qualifiedName(type);
      if (found.has(name)) return onServed();
      const entry = waiting.get(name);
      if (entry === undefined) waiting.set(name, {type, callbacks: [onServed]});
      else entry.callbacks.push(onServed);
      wakeUp();
    },
    served: (type) => found.has(qualifiedName(type)),
    get missing() {
      return [...waiting.keys()].toSorted();
    },
    async run(signal) {
      let waitMs = FIRST_WAIT_MS;
      let reported = '';
      while (!signal.aborted) {
        if (waiting.size === 0) {
          await new Promise<void>((resolve) => {
            wakeUp = resolve;
            signal.addEventListener('abort', () => resolve(), {once: true});
          });
          waitMs = FIRST_WAIT_MS;
          continue;
        }
        try {
          await look(signal);
          lookDone();
        } catch (error) {
          if (signal.aborted) return;
          log.warn({err: error}, 'could not read which kinds the cluster serves; trying again');
        }
        const missing = [...waiting.keys()].toSorted().join(', ');
        if (missing !== reported && missing !== '')
          log.warn({missing}, 'the cluster does not serve these kinds (yet): is everything installed?');
        reported = missing;
        if (waiting.size === 0) continue;
        await clock.sleep(waitMs, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      }
    },
  };
}
