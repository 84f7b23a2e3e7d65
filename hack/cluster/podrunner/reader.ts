/** Reads for the runner what a kubelet reads: always the newest state, since these are looked at once per start of a container. */
import type {KubeClient} from '../../../kube/client.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {KubeObject, Ref, ResourceType} from '../../../kube/objects.ts';
import {CONFIG_MAP, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, SECRET} from '../../../kube/types.ts';
import type {Service} from './peers.ts';
import type {RunnerPod} from './pod.ts';
import type {Reader} from './prepare.ts';

const SERVICE: ResourceType<Service> = {group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true};

/** The reader of one pod; `signal` ends its calls. */
export function createReader(client: KubeClient, pods: Informer<RunnerPod>, pod: RunnerPod, signal: AbortSignal): Reader {
  const {namespace = '', name: podName, uid} = pod.metadata;
  const get = async <T extends KubeObject>(type: ResourceType<T>, ref: Ref): Promise<T | undefined> => {
    try {
      return await client.get(type, ref, {signal});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    secret: (name) => get(SECRET, {namespace, name}),
    configMap: (name) => get(CONFIG_MAP, {namespace, name}),
    claim: (name) => get(PERSISTENT_VOLUME_CLAIM, {namespace, name}),
    persistentVolume: (name) => get(PERSISTENT_VOLUME, {name}),
    service: (of, name) => get(SERVICE, {namespace: of, name}),
    pods: (of) => pods.list(of),
    async token(audience, expirationSeconds) {
      const account = pod.spec.serviceAccountName ?? 'default';
      const body = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        // Valid only while the pod is there.
        spec: {
          ...(audience === undefined ? {} : {audiences: [audience]}),
          expirationSeconds,
          boundObjectRef: {apiVersion: 'v1', kind: 'Pod', name: podName, uid},
        },
      };
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
      const answer = await client.raw('POST', path, {body, signal});
      return (JSON.parse(answer.body.toString()) as {status: {token: string}}).status.token;
    },
  };
}
