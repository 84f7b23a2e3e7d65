/** What qemu's words mean for a guest. Pure. */
import type {GuestEnd} from '../guest.ts';

/** Versioned machine types that run, as VMI statuses name them; nodes of the local cluster are labelled with both. */
export const MACHINE_TYPES = {q35: 'pc-q35-7.2', pc: 'pc-i440fx-7.2'} as const;

/** How a guest ended whose process is gone, when `expected` is what led to it: nothing did, so it crashed. */
export function endOf(expected: GuestEnd | undefined, lastWords: string): {readonly how: GuestEnd; readonly message: string} {
  switch (expected) {
    case 'shutdown':
      return {how: 'shutdown', message: 'the guest switched itself off'};
    case 'killed':
      return {how: 'killed', message: 'killed'};
    case 'crashed':
      return {how: 'crashed', message: 'the guest panicked'};
    case 'not-started':
      return {how: 'not-started', message: lastWords};
    case undefined:
      return {how: 'crashed', message: lastWords === '' ? 'its qemu process ended' : `its qemu process ended: ${lastWords}`};
    default:
      return expected satisfies never;
  }
}

/**
 * What a guest is doing that ran unwatched for a while, by QMP's `query-status`: `shutdown` and `crashed` are ends of which nobody was told,
 * whose process only waits to be dismissed.
 */
export function adoptedState(status: string | undefined): 'running' | 'paused' | 'shutdown' | 'crashed' {
  switch (status) {
    case 'shutdown':
      return 'shutdown';
    case 'guest-panicked':
    case 'internal-error':
      return 'crashed';
    case 'paused':
    case 'io-error':
    case 'suspended':
      return 'paused';
    default:
      return 'running';
  }
}
