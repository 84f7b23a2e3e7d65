/** Says on a VMI and on its Server where this machine reaches the guest: people and tests look there for the address to dial. */
import {SERVER} from '../../../../crds/index.ts';
import type {KubeClient} from '../../../../kube/client.ts';
import type {Logger} from '../../../../kube/log.ts';
import {isConflict, isNotFound} from '../../../../kube/errors.ts';
import {VMI} from '../types.ts';
import {portName} from './forwards.ts';
import type {Forward} from './forwards.ts';

/** Annotation of VMIs and Servers: `ssh=10.100.16.12:22,http=10.100.16.12:80`. Absent while nothing of the guest is reached. */
export const REACH_ANNOTATION = 'local.basalt.dev/reach';

const DEADLINE_MS = 10_000;

/** Which guest. */
export interface ReachedGuest {
  readonly vmiUid: string;
  /** `namespace/name`, of the VMI and of its Server alike. */
  readonly vmiKey: string;
}

/** Writes the annotations. */
export interface ReachBook {
  /** What of a guest's NIC `index` is reached and where; empty: nothing. Never rejects: what cannot be written is logged. */
  tell(guest: ReachedGuest, index: number, forwards: readonly Forward[]): Promise<void>;
}

/** The annotation's text: NICs in their order. */
export function reachText(byNic: ReadonlyMap<number, readonly Forward[]>): string {
  return [...byNic]
    .toSorted(([left], [right]) => left - right)
    .flatMap(([, forwards]) => forwards.map(({guestPort, host, port}) => `${portName(guestPort)}=${host}:${port}`))
    .join(',');
}

/** The inverse of {@link reachText}: name → the first place that has it. */
export function parseReach(text: string | undefined): ReadonlyMap<string, {readonly host: string; readonly port: number}> {
  const places = new Map<string, {host: string; port: number}>();
  for (const entry of (text ?? '').split(',')) {
    const match = /^([\w-]+)=([\d.]+):(\d+)$/.exec(entry);
    if (match !== null && !places.has(match[1] ?? '')) places.set(match[1] ?? '', {host: match[2] ?? '', port: Number(match[3])});
  }
  return places;
}

/** Creates it. */
export function createReachBook({client, log}: {readonly client: KubeClient; readonly log: Logger}): ReachBook {
  interface Entry {
    vmiUid: string;
    byNic: Map<number, readonly Forward[]>;
    /** The end of the line of writes: the newest is what stays. */
    last: Promise<void>;
  }
  const entries = new Map<string, Entry>();

  const write = async ({vmiUid, vmiKey}: ReachedGuest, text: string): Promise<void> => {
    const [namespace = '', name = ''] = vmiKey.split('/');
    const annotations = {[REACH_ANNOTATION]: text === '' ? null : text};
    const options = {signal: AbortSignal.timeout(DEADLINE_MS)};
    const attempts = [
      // The uid: what is said of a guest that has ended is not for the next one of its name.
      () => client.mergePatch(VMI, {namespace, name}, {metadata: {uid: vmiUid, annotations}}, options),
      () => client.mergePatch(SERVER, {namespace, name}, {metadata: {annotations}}, options),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error))
          log.warn({vmi: vmiKey, err: error}, 'where a guest is reached cannot be written down');
      }
    }
  };

  return {
    tell(guest, index, forwards) {
      const {vmiUid, vmiKey} = guest;
      const present = entries.get(vmiKey);
      if (forwards.length === 0 && present?.vmiUid !== vmiUid) return Promise.resolve(); // it was never reached, or the next one is by now
      const entry = present ?? {vmiUid, byNic: new Map<number, readonly Forward[]>(), last: Promise.resolve()};
      entries.set(vmiKey, entry);
      if (entry.vmiUid !== vmiUid) entry.byNic = new Map();
      entry.vmiUid = vmiUid;
      if (forwards.length === 0) entry.byNic.delete(index);
      else entry.byNic.set(index, forwards);
      const text = reachText(entry.byNic);
      const written = entry.last.then(() => write(guest, text));
      entry.last = written;
      return written.then(() => {
        if (entry.last === written && entry.byNic.size === 0) entries.delete(vmiKey);
      });
    },
  };
}
