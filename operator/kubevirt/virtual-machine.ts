/**
 * A Server, with everything it refers to resolved, as the VirtualMachine that is applied for it. Pure. Every value that KubeVirt's
 * mutating webhook would fill in is sent, so that server-side apply finds nothing to change when nothing changed.
 */
import {LABELS} from '../../crds/wellknown.ts';
import type {OwnerReference} from '../../kube/objects.ts';
import {buildCompute} from './compute.ts';
import type {MachineResources} from './compute.ts';
import {buildDisks} from './disks.ts';
import type {MachineDisk} from './disks.ts';
import {virtualMachineName} from './names.ts';
import {buildNics} from './nics.ts';
import type {MachineNic} from './nics.ts';
import {buildAffinity, buildGroupLabels, buildNodeSelector} from './placement.ts';
import type {MachineGroup, Placement} from './placement.ts';
import type {VirtualMachine} from './types.ts';

/** The only two strategies that are ever written; who may change from one to the other, and when, is decided in the power plan. */
export type RunStrategy = 'RerunOnFailure' | 'Halted';

/** Seconds that a guest has after the ACPI power button before it is killed: a polite shutdown has no deadline of its own in our APIs. */
export const SHUTDOWN_GRACE_SECONDS = 300;

/**
 * Annotations of a Server that are handed on to its guest, and no others: the local cluster reads them (which kind of guest, which ports).
 * KubeVirt's own annotations are not handed on, since some of them give rights on the node.
 */
const GUEST_ANNOTATION_PREFIX = 'guest.basalt.dev/';

/** Those of `annotations` that are meant for the guest. */
export function guestAnnotationsOf(annotations: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => name.startsWith(GUEST_ANNOTATION_PREFIX)));
}

/** Everything the VirtualMachine depends on. */
export interface Machine {
  readonly name: string;
  readonly namespace: string;
  readonly owner: OwnerReference;
  readonly uuid: string;
  /** What the guest is called: in its seed's meta data, and by DHCP for a guest without a seed (RFC 1123 label). */
  readonly hostname: string;
  /** Annotations for whoever runs the guest ({@link GUEST_ANNOTATION_PREFIX}); they reach the running instance. Default none. */
  readonly guestAnnotations?: Readonly<Record<string, string>>;
  readonly runStrategy: RunStrategy;
  readonly resources: MachineResources;
  /** In slot order; the root drive included. */
  readonly disks: readonly MachineDisk[];
  readonly bootOrder?: readonly string[];
  readonly nics: readonly MachineNic[];
  readonly placement: Placement;
  readonly groups: readonly MachineGroup[];
  /** Name of the Secret with the seed; absent: no seed disk. */
  readonly cloudInitSecret?: string;
}

/** The whole VirtualMachine. Throws `RangeError` for a slot that does not exist. */
export function buildVirtualMachine(machine: Machine): VirtualMachine {
  const {disks, volumes} = buildDisks(machine);
  const {interfaces, networks, autoattachPodInterface, annotations: nicAnnotations} = buildNics(machine.nics);
  const annotations = {...machine.guestAnnotations, ...nicAnnotations};
  const nodeSelector = buildNodeSelector(machine.placement);
  const affinity = buildAffinity(machine.groups);
  const place = {
    ...(machine.placement.region === undefined ? {} : {[LABELS.region]: machine.placement.region}),
    ...(machine.placement.cell === undefined ? {} : {[LABELS.cell]: machine.placement.cell}),
  };
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {
      name: virtualMachineName(machine.name),
      namespace: machine.namespace,
      labels: {[LABELS.server]: machine.uuid, ...place},
      ownerReferences: [machine.owner],
    },
    spec: {
      runStrategy: machine.runStrategy,
      template: {
        metadata: {
          labels: {[LABELS.server]: machine.uuid, ...buildGroupLabels(machine.groups)},
          ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
        },
        spec: {
          architecture: 'amd64',
          hostname: machine.hostname,
          ...(nodeSelector === undefined ? {} : {nodeSelector}),
          ...(affinity === undefined ? {} : {affinity}),
          // LiveMigrate would hang a drain on a guest that cannot move, None would kill guests that can.
          evictionStrategy: 'LiveMigrateIfPossible',
          terminationGracePeriodSeconds: SHUTDOWN_GRACE_SECONDS,
          domain: {
            machine: {type: 'q35'},
            // Else random at create, and the same for equal names in very old versions; a guest's licence hangs on it.
            firmware: {uuid: machine.uuid, serial: machine.uuid, bootloader: {bios: {}}},
            clock: {utc: {}, timer: {hpet: {present: false}, pit: {tickPolicy: 'delay'}, rtc: {tickPolicy: 'catchup'}}},
            features: {acpi: {enabled: true}},
            ...buildCompute(machine.resources),
            devices: {
              autoattachGraphicsDevice: true,
              ...(autoattachPodInterface === undefined ? {} : {autoattachPodInterface}),
              logSerialConsole: true,
              rng: {},
              disks,
              interfaces,
            },
          },
          networks,
          volumes,
        },
      },
    },
  };
}
