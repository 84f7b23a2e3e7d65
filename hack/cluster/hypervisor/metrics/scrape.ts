/** Reads every guest off when metrics are asked for, at a bounded cost: so many at once, each with a deadline, one scrape at a time. */
import type {Logger} from '../../../../kube/log.ts';
import type {Guest} from '../guest.ts';
import type {GuestTable} from '../guest-table.ts';
import {renderGuests} from './text.ts';
import type {MeasuredGuest} from './text.ts';

/** Options of {@link createScrape}. */
export interface ScrapeOptions {
  readonly table: Pick<GuestTable, 'keys' | 'get'>;
  /** The labels of a VMI by its key. */
  readonly labelsOf: (key: string) => Readonly<Record<string, string>>;
  readonly log: Logger;
}

/** A qemu that lives answers within milliseconds; one that hangs costs a scrape this long, and Prometheus waits for 10 s. */
export const QMP_TIMEOUT_MS = 1_000;
const AT_ONCE = 8;
/** Guests whose turn would come later than this are left to the next scrape. */
const SCRAPE_TIMEOUT_MS = 8_000;

/** Creates the function that measures and renders. Those who ask while a scrape is under way share its text. Never rejects for one guest's sake. */
export function createScrape(options: ScrapeOptions & {readonly monotonicMs: () => number}): () => Promise<string> {
  let running: Promise<string> | undefined;
  return () => {
    running ??= scrape(options).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function scrape(options: ScrapeOptions & {readonly monotonicMs: () => number}): Promise<string> {
  const {table, monotonicMs} = options;
  const end = monotonicMs() + SCRAPE_TIMEOUT_MS;
  const waiting = [...table.keys()];
  const measured: MeasuredGuest[] = [];
  let unanswered = 0;
  const work = async (): Promise<void> => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      const guest = table.get(key)?.guest;
      if (guest === undefined) continue;
      const found = monotonicMs() < end ? await measure(key, guest, options) : 'late';
      if (typeof found === 'object') measured.push(found);
      if (found === 'late' || (typeof found === 'object' && found.measures.drives === undefined)) unanswered++;
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, work));
  measured.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  return `${renderGuests(measured)}# HELP hypervisor_guests_unanswered Guests whose qemu did not answer the newest scrape in time
# TYPE hypervisor_guests_unanswered gauge
hypervisor_guests_unanswered ${unanswered}
`;
}

async function measure(key: string, guest: Guest, {labelsOf, log}: ScrapeOptions): Promise<MeasuredGuest | undefined> {
  try {
    const measures = await guest.measure({timeoutMs: QMP_TIMEOUT_MS});
    if (measures === undefined) return undefined;
    const [namespace = '', name = ''] = key.split('/');
    return {namespace, name, labels: labelsOf(key), measures};
  } catch (error) {
    log.warn({err: error, vmi: key}, 'measuring a guest');
    return undefined;
  }
}
