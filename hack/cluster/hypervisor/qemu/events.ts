/** What qemu's words mean for a guest. Pure. */
import type {GuestEnd} from '../guest.ts';
import {nodeName} from './command-line.ts';

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

/** Of a guest that was stopped for such an error while nobody looked. */
export const UNKNOWN_DISK_ERROR = 'a disk could not be read or written';

/** What QMP's BLOCK_IO_ERROR says of an error for which the guest is stopped until somebody helps; undefined when the guest was told instead. */
export function diskErrorOf(data: Readonly<Record<string, unknown>>, disks: readonly {readonly name: string}[]): string | undefined {
  const {action, nospace, operation, reason, 'node-name': node} = data;
  if (action !== 'stop') return undefined;
  const found = disks.find(({name}) => nodeName(name) === node);
  const why = nospace === true ? 'this machine has no room left' : typeof reason === 'string' ? reason : 'an I/O error';
  return `${found === undefined ? 'a disk' : `disk ${found.name}`} could not be ${operation === 'read' ? 'read' : 'written'}: ${why}`;
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
