/** How many real guests this machine takes. Pure. */

/** Bounds of all real guests together. */
export interface GuestLimits {
  readonly guests: number;
  readonly memoryMiB: number;
}

/** What is there already. */
export interface GuestLoad {
  readonly guests: number;
  readonly memoryMiB: number;
}

/** qemu's own memory beside its guest's: translated code, devices, video memory. */
export const OVERHEAD_MIB = 96;

/** Why a guest of `memoryMiB` cannot be taken; undefined when it can. */
export function refusalOf(load: GuestLoad, memoryMiB: number, limits: GuestLimits): string | undefined {
  if (load.guests >= limits.guests)
    return `${load.guests} real guests run on this machine, the most that it takes (HYPERVISOR_MAX_GUESTS=${limits.guests}); stop one, or annotate this server guest.basalt.dev/mode=simulated`;
  const needed = memoryMiB + OVERHEAD_MIB;
  const left = limits.memoryMiB - load.memoryMiB;
  if (needed > left)
    return `the guest needs ${needed} MiB of this machine and real guests may take ${Math.max(0, left)} MiB more (HYPERVISOR_MAX_MEMORY_MIB=${limits.memoryMiB}); stop one, or give it less memory`;
  return undefined;
}
