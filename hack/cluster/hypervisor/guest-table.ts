import type {Guest, GuestDriver, GuestMode} from './guest.ts';
import {ANNOTATIONS} from './types.ts';
import type {Vmi} from './types.ts';

/** A guest and what the life cycle remembers about it. */
export interface GuestEntry {
  readonly guest: Guest;
  /** Set while it is being shut down; monotonic milliseconds. */
  stopping: {readonly sinceMs: number; readonly pressedMs: number} | undefined;
}

/** The guests of this program by the key (`namespace/name`) of their VMI. Owned by the life cycle; the REST side reads it. */
export interface GuestTable {
  get(key: string): GuestEntry | undefined;
  put(key: string, guest: Guest): void;
  delete(key: string): void;
  keys(): Iterable<string>;
  readonly size: number;
}

/** An empty table. */
export function createGuestTable(): GuestTable {
  const entries = new Map<string, GuestEntry>();
  return {
    get: (key) => entries.get(key),
    put: (key, guest) => void entries.set(key, {guest, stopping: undefined}),
    delete: (key) => void entries.delete(key),
    keys: () => [...entries.keys()],
    get size() {
      return entries.size;
    },
  };
}

/** The drivers that this program was built with. */
export type GuestDrivers = Partial<Record<GuestMode, GuestDriver>>;

/**
 * The driver of one VM: its annotation, else the program's mode.
 * @throws when there is no such driver; the message says what may be asked for.
 */
export function driverFor(vmi: Vmi, drivers: GuestDrivers, mode: GuestMode): GuestDriver {
  const asked = vmi.metadata.annotations?.[ANNOTATIONS.guestMode] ?? mode;
  const driver = asked === 'simulated' || asked === 'qemu' ? drivers[asked] : undefined;
  if (driver === undefined)
    throw new NoDriverError(
      `no driver for guests of mode "${asked}" (there is: ${Object.keys(drivers).join(', ')}); ` +
        (asked === 'qemu'
          ? 'this cluster runs without: install what GUESTS=qemu make up names and start the cluster anew (not with --light)'
          : `correct annotation ${ANNOTATIONS.guestMode} of the server`),
    );
  return driver;
}

/** A VM asks for a mode of guests that this program cannot run. */
export class NoDriverError extends Error {
  override readonly name = 'NoDriverError';
}
