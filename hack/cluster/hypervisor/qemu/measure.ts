/** Reads a qemu process off: /proc, its own counters over QMP, and its NICs'. */
import {drivesOf, memoryOf} from '../metrics/answers.ts';
import type {DriveUsage, GuestMeasures, GuestMemory} from '../metrics/measures.ts';
import {processUsage} from '../metrics/proc.ts';
import {BALLOON_ID} from './command-line.ts';
import type {QemuInstance} from './instance.ts';
import {QmpError} from './qmp.ts';

/** Measures it. What qemu does not tell within `timeoutMs` is absent; rejects for nothing that an end or a hang of qemu explains. */
export async function measureInstance(
  instance: Pick<QemuInstance, 'process' | 'place' | 'plan' | 'nics' | 'qmp'>,
  timeoutMs: number,
): Promise<GuestMeasures> {
  const [process, told] = await Promise.all([processUsage(instance.process.pid), ask(instance, timeoutMs)]);
  const names = new Map(instance.plan.nics.map(({index, name}) => [index, name]));
  return {
    nodeName: instance.place.nodeName,
    ...(process === undefined ? {} : {process}),
    memoryBytes: instance.plan.memoryMiB * 2 ** 20,
    nics: [...instance.nics].map(([index, nic]) => ({name: names.get(index) ?? `net${index}`, ...nic.counters})),
    ...told,
  };
}

async function ask(
  {qmp}: Pick<QemuInstance, 'qmp'>,
  timeoutMs: number,
): Promise<{readonly drives?: readonly DriveUsage[]; readonly memory?: GuestMemory}> {
  const options = {timeoutMs};
  try {
    const [drives, memory] = await Promise.all([
      qmp.execute('query-blockstats', {}, options),
      qmp.execute('qom-get', {path: `/machine/peripheral/${BALLOON_ID}`, property: 'guest-stats'}, options).catch((error: unknown) => {
        if (error instanceof QmpError && error.refused) return undefined; // one that was started without
        throw error;
      }),
    ]);
    return {drives: drivesOf(drives), memory: memoryOf(memory)};
  } catch (error) {
    if (error instanceof QmpError) return {};
    throw error;
  }
}
