/** What the phases of a run found: one judgement each, from which conditions, phase and fault are computed in one place (status.ts). */
import type {Reason, ServerNicStatus, ServerResources} from '../../../crds/index.ts';

/** A judgement without its type. `failed`: it will not cure itself, so the server is in ERROR and not in BUILD. */
export interface Finding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
  readonly failed?: boolean;
}

export const yes = (reason: Reason, message: string): Finding => ({status: 'True', reason, message});
export const no = (reason: Reason, message: string): Finding => ({status: 'False', reason, message});
export const failed = (reason: Reason, message: string): Finding => ({status: 'False', reason, message, failed: true});
export const unknown = (reason: Reason, message: string): Finding => ({status: 'Unknown', reason, message});

/** Not looked at yet. */
export const NOT_YET: Finding = unknown('Pending', 'not looked at yet');

/** All findings of a run. */
export interface Findings {
  readonly flavor: Finding;
  readonly image: Finding;
  readonly drives: Finding;
  readonly networks: Finding;
  readonly bootData: Finding;
  readonly quota: Finding;
  /** What `spec.placement` or `spec.serverGroups` names that does not exist, if anything. */
  readonly placement?: Finding;
  readonly machine: Finding;
  readonly resources?: ServerResources | undefined;
  readonly nics: readonly ServerNicStatus[];
  /** Progress of the drives that are still being filled, 0..100; 100 when all are. */
  readonly drivesPercent: number;
}
