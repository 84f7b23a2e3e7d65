/** Which kind of guests a cluster has, and why. */
import {installCommand} from './images/requirements.ts';

/** `qemu`: guests are processes on real bytes. `simulated`: guests and bytes are played. */
export type GuestsMode = 'simulated' | 'qemu';

/** A choice, in words for the person who started `up`. */
export interface GuestsChoice {
  readonly mode: GuestsMode;
  readonly why: string;
}

/**
 * Whether single servers may be real guests (annotation `guest.basalt.dev/mode: qemu`), whatever the others are: this machine has the programs,
 * and the cluster has volumes.
 */
export const canBoot = (light: boolean, missing: readonly string[]): boolean => !light && missing.length === 0;

/**
 * What GUESTS says, else qemu where this machine has what it needs; `missing` are the packages that it has not. Light clusters have no bytes,
 * so no guests that boot from them.
 * @throws Error for another value, and where qemu is asked for and cannot be had.
 */
export function chooseGuests(asked: string | undefined, light: boolean, missing: readonly string[]): GuestsChoice {
  if (asked !== undefined && asked !== '' && asked !== 'simulated' && asked !== 'qemu') {
    throw new Error(`GUESTS must be qemu or simulated, not ${asked}`);
  }
  const lacks = `not installed: ${missing.join(', ')}. Get guests that boot with: ${installCommand(missing)}`;
  if (asked === 'qemu') {
    if (light) throw new Error('GUESTS=qemu needs the whole cluster: without --light');
    if (missing.length > 0) throw new Error(`GUESTS=qemu: ${lacks}`);
    return {mode: 'qemu', why: 'as GUESTS says'};
  }
  if (asked === 'simulated') return {mode: 'simulated', why: 'as GUESTS says'};
  if (light) return {mode: 'simulated', why: 'a light cluster has no bytes to boot from'};
  if (missing.length > 0) return {mode: 'simulated', why: lacks};
  return {mode: 'qemu', why: 'qemu is installed'};
}
