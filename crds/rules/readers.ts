/** Readers: who may copy a drive of another account. The operator and the api-server decide by this one function. Pure. */
import type {Drive} from '../drive.ts';

/** A reader that stands for everyone (CloudSigma's convention). */
export const EVERYONE = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Whether the drive's readers name the account, or everyone. `account` is absent for who has none (the system namespace). */
export function mayRead({spec}: Pick<Drive, 'spec'>, account: {readonly name: string; readonly uuid: string} | undefined): boolean {
  return (spec.readers ?? []).some((reader) => reader === EVERYONE || reader === account?.name || reader === account?.uuid);
}
