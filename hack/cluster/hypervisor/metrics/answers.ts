/** qemu's answers about drives and memory, in the shape of {@link DriveUsage} and {@link GuestMemory}. Pure. */
import type {DriveUsage, GuestMemory} from './measures.ts';

/** What `query-blockstats` says of each device. */
interface BlockStats {
  readonly qdev?: string;
  readonly stats?: Readonly<Record<string, unknown>>;
}

/** The driver names devices `disk-<name in the VMI>`; virtio's show as `/machine/peripheral/disk-<name>/virtio-backend`, others by the id alone. */
const DEVICE = /(?:^|\/)disk-([^/]+)/;
const NANO = 1e9;

/** The drives out of the answer to `query-blockstats`; devices without a disk of the VMI are left out. */
export function drivesOf(answer: unknown): readonly DriveUsage[] {
  if (!Array.isArray(answer)) return [];
  return (answer as readonly BlockStats[]).flatMap(({qdev = '', stats = {}}) => {
    const name = DEVICE.exec(qdev)?.[1];
    if (name === undefined) return [];
    const of = (field: string): number => Number(stats[field] ?? 0);
    return [
      {
        name,
        readBytes: of('rd_bytes'),
        writtenBytes: of('wr_bytes'),
        reads: of('rd_operations'),
        writes: of('wr_operations'),
        readSeconds: of('rd_total_time_ns') / NANO,
        writeSeconds: of('wr_total_time_ns') / NANO,
        flushes: of('flush_operations'),
        flushSeconds: of('flush_total_time_ns') / NANO,
      },
    ];
  });
}

/** The memory out of the balloon's `guest-stats`; without a driver in the guest every figure is absent (qemu says 2⁶⁴ − 1 then). */
export function memoryOf(answer: unknown): GuestMemory {
  const {stats = {}} = (answer ?? {}) as {readonly stats?: Readonly<Record<string, unknown>>};
  const names = {
    available: 'stat-total-memory',
    unused: 'stat-free-memory',
    usable: 'stat-available-memory',
    cached: 'stat-disk-caches',
    majorFaults: 'stat-major-faults',
    minorFaults: 'stat-minor-faults',
  } as const;
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, stat]) => {
      const value = stats[stat];
      return typeof value === 'number' && value < 2 ** 63 ? [[name, value]] : [];
    }),
  );
}
