/** Growth of a drive: its claim asks for more. Pure. A drive never shrinks (the schema refuses that). */
import {roundUpToMiB} from '../../../crds/rules/sizes.ts';
import {isForbidden, isInvalid} from '../../../kube/errors.ts';
import type {ApiError} from '../../../kube/errors.ts';
import type {PersistentVolumeClaim} from '../../../kube/types.ts';
import type {DataVolume} from '../../kubevirt/types.ts';
import {bytesOf} from '../shared/quantity.ts';

/** Share of a file system volume that CDI leaves to the file system itself (its default). */
const FILESYSTEM_OVERHEAD = 0.06;

/**
 * The bytes that the claim should ask for, or `undefined` when it asks for enough. A claim made by CDI is larger than its DataVolume by
 * the file system's overhead, by how much is the cluster's setting; so it is touched only once the drive has outgrown its DataVolume.
 */
export function grownRequest(sizeBytes: number, claim: PersistentVolumeClaim, volume: DataVolume | undefined): number | undefined {
  const asked = bytesOf(claim.spec?.resources?.requests?.['storage']);
  const born = volume === undefined ? 0 : bytesOf(volume.spec.storage?.resources.requests.storage);
  if (asked === 0 || roundUpToMiB(sizeBytes) <= born) return undefined;
  const overhead = volume === undefined || claim.spec?.volumeMode === 'Block' ? 0 : FILESYSTEM_OVERHEAD;
  const wanted = roundUpToMiB(Math.ceil(sizeBytes / (1 - overhead)));
  return wanted > asked ? wanted : undefined;
}

/** Whether the storage has what its claim asks for. */
export const isGrown = (claim: PersistentVolumeClaim): boolean =>
  bytesOf(claim.status?.capacity?.['storage']) >= bytesOf(claim.spec?.resources?.requests?.['storage']);

/** What the authorizer says. An API server that has just started knows no rights yet, so this is no answer to the spec. */
const NO_RIGHTS = /is forbidden: User "[^"]*" cannot /;

/** Whether the cluster has refused to let a claim grow, as against not having answered; the latter is tried again. */
export const isRefusalOfGrowth = (error: unknown): error is ApiError =>
  isInvalid(error) || (isForbidden(error) && !NO_RIGHTS.test(error.message));
