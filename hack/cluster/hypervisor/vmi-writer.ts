import type {KubeClient} from '../../../kube/client.ts';
import type {Clock} from '../../../kube/clock.ts';
import {isConflict, isNotFound} from '../../../kube/errors.ts';
import type {Informer} from '../../../kube/informer.ts';
import {refOfObject} from '../../../kube/objects.ts';
import type {VmiPatch} from './status.ts';
import {VMI} from './types.ts';
import type {Vmi} from './types.ts';

/** Writes a VMI from its newest state. */
export interface VmiWriter {
  /**
   * Patches under the resourceVersion that `build` saw, because lists are replaced whole and virt-controller writes the same ones; a
   * lost race is rebuilt from a fresh read. `build` returns undefined when there is nothing (any more) to write. Resolves with the
   * VMI as written or read, or undefined when it (or one with this uid) is gone. Throws when the race is lost `attempts` times.
   */
  write(vmi: Vmi, build: (vmi: Vmi) => VmiPatch | undefined, signal: AbortSignal): Promise<Vmi | undefined>;
}

// virt-controller writes a VMI a handful of times around each phase: more losses in a row mean something else is wrong.
const ATTEMPTS = 8;

/** Creates the writer. `client` must act as ServiceAccount kubevirt-controller: virt-api silently reverts statuses by anybody else. */
export function createVmiWriter(options: {
  readonly client: KubeClient;
  readonly informer: Informer<Vmi>;
  readonly clock: Clock;
}): VmiWriter {
  const {client, informer, clock} = options;
  return {
    async write(vmi, build, signal) {
      const ref = refOfObject(vmi);
      let seen = vmi;
      for (let attempt = 1; ; attempt++) {
        const patch = build(seen);
        if (patch === undefined) return seen;
        try {
          const metadata = {...patch.metadata, resourceVersion: seen.metadata.resourceVersion};
          const written = await client.mergePatch(VMI, ref, {...patch, metadata}, {signal});
          informer.observe(written);
          return written;
        } catch (error) {
          if (isNotFound(error)) return undefined;
          if (!isConflict(error) || attempt >= ATTEMPTS) throw error;
        }
        if (attempt > 1) await clock.sleep(10 * 2 ** (attempt - 2), signal); // 10 … 640 ms: 1.3 s in all
        try {
          seen = await client.get(VMI, ref, {signal});
        } catch (error) {
          if (isNotFound(error)) return undefined;
          throw error;
        }
        if (seen.metadata.uid !== vmi.metadata.uid) return undefined;
      }
    },
  };
}
