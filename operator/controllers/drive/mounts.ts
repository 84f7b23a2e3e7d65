/** Which server's guest has a volume in its hands. Pure. */
import type {VirtualMachine, VirtualMachineInstance} from '../../kubevirt/types.ts';

type WithVolumes = {readonly volumes?: readonly {readonly persistentVolumeClaim?: {readonly claimName: string}}[]} | undefined;

const mounts = (spec: WithVolumes, claimName: string): boolean =>
  spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claimName) ?? false;

/** Whether a guest runs (or is about to) on the volume. */
export const isMounted = (instance: VirtualMachineInstance | undefined, claimName: string): boolean => mounts(instance?.spec, claimName);

/** Whether a guest runs on the volume, or would with its next start: then nobody else may have it. */
export const isPlugged = (machine: VirtualMachine | undefined, instance: VirtualMachineInstance | undefined, claimName: string): boolean =>
  isMounted(instance, claimName) || mounts(machine?.spec.template.spec, claimName);
