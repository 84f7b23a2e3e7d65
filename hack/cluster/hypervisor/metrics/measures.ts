/** What a guest has used, as read off its process, its qemu and its NICs. Everything counts from the start of its present process. */
import type {NicCounters} from '../net/networks.ts';

/** The process: qemu with the guest in it. */
export interface ProcessUsage {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
}

/** A drive since the start. */
export interface DriveUsage {
  /** Name of the disk in the VMI. */
  readonly name: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly readSeconds: number;
  readonly writeSeconds: number;
  readonly flushes: number;
  readonly flushSeconds: number;
}

/** A NIC since the start, as the guest would count it. */
export interface NicUsage extends NicCounters {
  /** Name of the interface in the VMI. */
  readonly name: string;
}

/** The guest's own account of its memory, in bytes, as its balloon driver tells it; what that driver leaves out is absent. */
export interface GuestMemory {
  /** All that its kernel may use. */
  readonly available?: number;
  readonly unused?: number;
  /** What could be had without swapping. */
  readonly usable?: number;
  readonly cached?: number;
  readonly majorFaults?: number;
  readonly minorFaults?: number;
}

/** One reading of one guest. */
export interface GuestMeasures {
  readonly nodeName: string;
  /** Absent: the process has just ended. */
  readonly process?: ProcessUsage;
  /** What the machine was given. */
  readonly memoryBytes: number;
  readonly nics: readonly NicUsage[];
  /** Absent, as is `memory`: qemu did not answer in time. */
  readonly drives?: readonly DriveUsage[];
  readonly memory?: GuestMemory;
}
