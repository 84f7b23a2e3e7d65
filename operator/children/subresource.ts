/** The calls that KubeVirt takes beside the spec: subresources of a machine or an instance, answered by virt-api. */
import type {KubeClient} from '../../kube/client.ts';
import type {Ref} from '../../kube/objects.ts';

/** What is called. */
export interface SubresourceCall {
  readonly kind: 'virtualmachines' | 'virtualmachineinstances';
  readonly ref: Ref;
  readonly verb: 'start' | 'stop' | 'restart' | 'softreboot' | 'reset';
  readonly body: object;
}

/** virt-api asks the host's virt-handler in turn; a host that does not answer must not hold a worker for long. In milliseconds. */
const TIMEOUT_MS = 10_000;

/** Makes a call. Throws `ApiError`: 409 is a lost race, or says that it is done already; 400 that the guest is not in a state for it. */
export async function callSubresource(client: KubeClient, {kind, ref, verb, body}: SubresourceCall, signal: AbortSignal): Promise<void> {
  const path = `/apis/subresources.kubevirt.io/v1/namespaces/${ref.namespace ?? ''}/${kind}/${ref.name}/${verb}`;
  // virt-api has no JSON to answer, and says 406 to whoever insists on it.
  await client.raw('PUT', path, {body, signal, timeoutMs: TIMEOUT_MS, headers: {accept: '*/*'}});
}
