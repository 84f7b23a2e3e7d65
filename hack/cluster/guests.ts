/** Which kind of guests a cluster has, and why. */
import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';

/** `qemu`: guests are processes on real bytes. `simulated`: guests and bytes are played. */
export type GuestsMode = 'simulated' | 'qemu';

/** Programs that real guests need, and the packages (of Debian) that have them. */
export const GUEST_PROGRAMS = ['qemu-system-x86_64', 'qemu-img', 'genisoimage', 'bwrap'] as const;
const INSTALL = 'apt-get install qemu-system-x86 qemu-utils genisoimage bubblewrap';

/** A choice, in words for the person who started `up`. */
export interface GuestsChoice {
  readonly mode: GuestsMode;
  readonly why: string;
}

/**
 * What GUESTS says, else qemu where this machine has it. Light clusters have no bytes, so no guests that boot from them.
 * @throws Error for another value, and where qemu is asked for and cannot be had.
 */
export function chooseGuests(asked: string | undefined, light: boolean, has: (program: string) => boolean): GuestsChoice {
  if (asked !== undefined && asked !== '' && asked !== 'simulated' && asked !== 'qemu') {
    throw new Error(`GUESTS must be qemu or simulated, not ${asked}`);
  }
  const missing = GUEST_PROGRAMS.filter((program) => !has(program));
  if (asked === 'qemu') {
    if (light) throw new Error('GUESTS=qemu needs the whole cluster: without --light');
    if (missing.length > 0) throw new Error(`GUESTS=qemu needs ${missing.join(', ')}: ${INSTALL}`);
    return {mode: 'qemu', why: 'as GUESTS says'};
  }
  if (asked === 'simulated') return {mode: 'simulated', why: 'as GUESTS says'};
  if (light) return {mode: 'simulated', why: 'a light cluster has no bytes to boot from'};
  if (missing.length > 0) return {mode: 'simulated', why: `${missing.join(', ')} not found; for guests that boot: ${INSTALL}`};
  return {mode: 'qemu', why: 'qemu is installed'};
}

/** Whether a program is on the PATH. */
export function onPath(env: NodeJS.ProcessEnv): (program: string) => boolean {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return (program) =>
    folders.some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false; // not there, or not for us: either way it cannot be started
      }
    });
}
