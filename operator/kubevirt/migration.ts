/** A live migration as KubeVirt's object. */
import {LABELS, TOPOLOGY_LABELS} from '../../crds/wellknown.ts';
import type {OwnerReference} from '../../kube/objects.ts';
import {migrationNameOfOperation, virtualMachineName} from './names.ts';
import type {VirtualMachineInstanceMigration} from './types.ts';

/** A migration asked for by a ServerOperation, which owns it: deleting the operation cancels the migration. */
export interface MigrationRequest {
  readonly operation: string;
  readonly namespace: string;
  readonly owner: OwnerReference;
  readonly server: string;
  readonly serverUuid: string;
  /** Host (metadata.name) to go to; absent: the scheduler's choice. */
  readonly host?: string;
}

export function buildMigration(request: MigrationRequest): VirtualMachineInstanceMigration {
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: {
      name: migrationNameOfOperation(request.operation),
      namespace: request.namespace,
      labels: {[LABELS.server]: request.serverUuid},
      ownerReferences: [request.owner],
    },
    spec: {
      vmiName: virtualMachineName(request.server),
      ...(request.host === undefined ? {} : {addedNodeSelector: {[TOPOLOGY_LABELS.host]: request.host}}),
    },
  };
}
