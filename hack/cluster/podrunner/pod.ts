/** The part of a pod that the runner reads, as it travels on the wire. */
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import type {CoreCondition} from '../../../kube/types.ts';

/** A key of a Secret or ConfigMap. */
export interface KeyReference {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

/** An environment variable of a container. */
export interface EnvVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyReference;
    readonly configMapKeyRef?: KeyReference;
    readonly fieldRef?: {readonly fieldPath: string};
    readonly resourceFieldRef?: unknown;
  };
}

/** All keys of a Secret or ConfigMap as variables. */
export interface EnvSource {
  readonly prefix?: string;
  readonly secretRef?: {readonly name: string; readonly optional?: boolean};
  readonly configMapRef?: {readonly name: string; readonly optional?: boolean};
}

/** A probe, as far as it is carried out. */
export interface Probe {
  readonly httpGet?: {readonly path?: string; readonly port: number | string; readonly scheme?: 'HTTP' | 'HTTPS'};
  readonly tcpSocket?: {readonly port: number | string};
  readonly exec?: unknown;
  readonly grpc?: unknown;
}

/** Where a volume is seen in the container. */
export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** The container of a pod. */
export interface RunnerContainer {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env?: readonly EnvVariable[];
  readonly envFrom?: readonly EnvSource[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly volumeDevices?: readonly unknown[];
  readonly readinessProbe?: Probe;
  readonly terminationMessagePath?: string;
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError';
}

/** Which keys of an object become which files; absent: all, under their own names. */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

/** Files out of an object's keys. */
export interface ObjectFiles {
  readonly name?: string;
  readonly secretName?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

/** Files out of the pod's own fields. */
export interface DownwardFiles {
  readonly items?: readonly {
    readonly path: string;
    readonly fieldRef?: {readonly fieldPath: string};
    readonly resourceFieldRef?: unknown;
  }[];
}

/** One source of a projected volume. */
export interface Projection {
  readonly secret?: ObjectFiles;
  readonly configMap?: ObjectFiles;
  readonly downwardAPI?: DownwardFiles;
  readonly serviceAccountToken?: {readonly path: string; readonly audience?: string; readonly expirationSeconds?: number};
}

/** A volume: its name and exactly one source. */
export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: {readonly claimName: string; readonly readOnly?: boolean};
  readonly secret?: ObjectFiles;
  readonly configMap?: ObjectFiles;
  readonly emptyDir?: object;
  readonly downwardAPI?: DownwardFiles;
  readonly projected?: {readonly sources?: readonly Projection[]};
}

/** How a container ended. */
export interface Terminated {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** What a container is doing. */
export type ContainerState =
  | {readonly waiting: {readonly reason: string; readonly message?: string}}
  | {readonly running: {readonly startedAt: string}}
  | {readonly terminated: Terminated};

/** A container in a pod's status. */
export interface RunnerContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState?: {readonly terminated?: Terminated};
}

/** A pod. */
export interface RunnerPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
    readonly terminationGracePeriodSeconds?: number;
    readonly activeDeadlineSeconds?: number;
    readonly hostNetwork?: boolean;
    readonly containers: readonly RunnerContainer[];
    readonly initContainers?: readonly RunnerContainer[];
    readonly volumes?: readonly Volume[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly startTime?: string;
    readonly conditions?: readonly CoreCondition[];
    readonly containerStatuses?: readonly RunnerContainerStatus[];
  };
}

/** Pods, with the fields that the runner reads. */
export const RUNNER_POD: ResourceType<RunnerPod> = {group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true};

/** The only container. Throws when there is none: a pod cannot be created without. */
export function containerOf(pod: RunnerPod): RunnerContainer {
  const [container] = pod.spec.containers;
  if (container === undefined) throw new Error(`pod ${pod.metadata.name} has no container`);
  return container;
}
