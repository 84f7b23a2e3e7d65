/** What becomes of a Secret that was written for a server: a password for its console, first-boot data. Pure. */
import type {Server} from '../../../crds/index.ts';
import {LABELS} from '../../../crds/index.ts';
import {keyOf} from '../../../kube/objects.ts';
import type {Secret} from '../../../kube/types.ts';

/** A Secret is stored before or beside its server; for so long one without a server is not yet a leftover, in milliseconds. */
export const ORPHANED_SECRET_GRACE_MS = 60_000;

/** `adopt`: it must be owned by its server. `delete`: its server never came, or went without it. `wait`: not to be told yet. */
export type SecretFate = {readonly kind: 'keep' | 'adopt' | 'delete'} | {readonly kind: 'wait'; readonly afterMs: number};

/** Key of the Server that the Secret was written for by its label. The programs of this house write the name there. */
export function serverKeyOf({metadata}: Secret): string | undefined {
  const name = metadata.labels?.[LABELS.server];
  return name === undefined || name === '' ? undefined : keyOf({namespace: metadata.namespace ?? '', name});
}

/**
 * Decides. `server`: the one that the label names. A Secret with an owner goes with its owner. First-boot data is adopted where it is read
 * (server/phases/boot-data.ts), everything else that its server names here.
 */
export function secretFate(secret: Secret, server: Server | undefined, nowMs: number): SecretFate {
  if ((secret.metadata.ownerReferences ?? []).length > 0 || serverKeyOf(secret) === undefined) return {kind: 'keep'};
  if (server !== undefined) {
    const isConsole = server.spec.console?.vnc?.passwordSecret?.name === secret.metadata.name;
    return {kind: isConsole && server.metadata.deletionTimestamp === undefined ? 'adopt' : 'keep'};
  }
  const afterMs = Date.parse(secret.metadata.creationTimestamp ?? '') + ORPHANED_SECRET_GRACE_MS - nowMs;
  return afterMs > 0 ? {kind: 'wait', afterMs} : {kind: 'delete'};
}
