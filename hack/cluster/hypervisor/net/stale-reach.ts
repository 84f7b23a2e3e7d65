/** What an earlier run of this program left said of guests that have ended since: a server must not name a place where nobody answers. */
import {SERVER} from '../../../../crds/index.ts';
import type {Server} from '../../../../crds/index.ts';
import type {KubeClient} from '../../../../kube/client.ts';
import {isNotFound} from '../../../../kube/errors.ts';
import type {Logger} from '../../../../kube/log.ts';
import {keyOf, refOfObject} from '../../../../kube/objects.ts';
import type {KubeObject, List, ResourceType} from '../../../../kube/objects.ts';
import {VMI} from '../types.ts';
import type {Vmi} from '../types.ts';
import {REACH_ANNOTATION} from './reach.ts';

const DEADLINE_MS = 30_000;
/** Servers of one page: a fleet is not read at once. */
const PAGE = 500;

/**
 * Takes the annotation from servers and instances without a living guest; call it before any guest is started. Returns the keys of those it
 * was taken from. Never rejects: what cannot be read or written is logged, and is said until the next start.
 */
export async function removeStaleReach(options: {
  /** An administrator's. */
  readonly client: KubeClient;
  readonly vmis: readonly Vmi[];
  /** Whether a process of the guest with this key (`namespace/name`) lives. */
  readonly lives: (key: string) => boolean;
  readonly log: Logger;
}): Promise<readonly string[]> {
  const {client, vmis, lives, log} = options;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const isStale = (object: KubeObject): boolean =>
    object.metadata.annotations?.[REACH_ANNOTATION] !== undefined && !lives(keyOf(refOfObject(object)));
  const removed = new Set<string>();
  const remove = async (type: ResourceType<KubeObject>, object: KubeObject): Promise<void> => {
    try {
      await client.mergePatch(type, refOfObject(object), {metadata: {annotations: {[REACH_ANNOTATION]: null}}}, {signal});
      removed.add(keyOf(refOfObject(object)));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  try {
    for (const vmi of vmis) if (isStale(vmi)) await remove(VMI, vmi);
    let next: string | undefined;
    do {
      const page: List<Server> = await client.list(SERVER, {limit: PAGE, signal, ...(next === undefined ? {} : {continue: next})});
      for (const server of page.items) if (isStale(server)) await remove(SERVER, server);
      next = page.continue;
    } while (next !== undefined && next !== '');
  } catch (error) {
    if (!isNotFound(error)) log.warn({err: error}, 'servers may name places where nobody answers any more'); // no servers: a cluster without our programs
  }
  return [...removed];
}
