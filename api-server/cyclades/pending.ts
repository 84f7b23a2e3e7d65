/** Reboots and resizes under way, by server: kept up to date from ServerOperations, so that a read costs one map access. */
import type {ServerOperation} from '../../crds/index.ts';
import type {Collection} from '../store/types.ts';
import type {PendingVerb} from './status.ts';

/** Look-up of what is under way. */
export interface PendingOperations {
  /** The verb that a server waits for; a resize hides a reboot. `key` is `namespace/name` of the Server. */
  of(key: string): PendingVerb | undefined;
}

const SHOWN: readonly string[] = ['Reboot', 'Resize'];

/** The verb an operation still has to do; undefined when it is over or has no state of its own in the API. Pure. */
export function pendingVerb(operation: ServerOperation): PendingVerb | undefined {
  const phase = operation.status?.phase ?? 'Pending';
  if (operation.metadata.deletionTimestamp !== undefined || (phase !== 'Pending' && phase !== 'InProgress')) return undefined;
  return SHOWN.includes(operation.spec.verb) ? (operation.spec.verb as PendingVerb) : undefined;
}

/** Follows a collection of operations. */
export function createPendingOperations(operations: Collection<ServerOperation>): PendingOperations {
  /** Server key → operation name → verb. */
  const byServer = new Map<string, Map<string, PendingVerb>>();

  const note = (operation: ServerOperation, gone: boolean): void => {
    const key = `${operation.metadata.namespace}/${operation.spec.server}`;
    const verb = gone ? undefined : pendingVerb(operation);
    const known = byServer.get(key);
    if (verb !== undefined) {
      if (known === undefined) byServer.set(key, new Map([[operation.metadata.name, verb]]));
      else known.set(operation.metadata.name, verb);
    } else if (known?.delete(operation.metadata.name) === true && known.size === 0) byServer.delete(key);
  };

  for (const operation of operations.list()) note(operation, false);
  operations.onChange(({kind, object}) => note(object, kind === 'deleted'));

  return {
    of(key) {
      const verbs = byServer.get(key);
      if (verbs === undefined) return undefined;
      return [...verbs.values()].includes('Resize') ? 'Resize' : 'Reboot';
    },
  };
}
