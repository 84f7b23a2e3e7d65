/** KubeVirt and CDI: their objects, their processes, and the hypervisor. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {isNotFound} from '../../../kube/errors.ts';
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';
import {LEASE} from '../../../kube/types.ts';
import {readDumped, readYaml, withCa, type Variables} from '../objects/manifests.ts';
import type {Listener} from '../network/plan.ts';
import {HERE} from '../paths.ts';
import {probeTcp} from '../probes.ts';
import {cdiApiserver, cdiController, virtApi, virtController} from '../processes/virtualization.ts';
import {keep, waitReady, type UpContext} from './context.ts';

const START_DEADLINE_MS = 90_000;

const KUBEVIRT: ResourceType = {group: 'kubevirt.io', version: 'v1', plural: 'kubevirts', kind: 'KubeVirt', namespaced: true};
const CDI: ResourceType = {group: 'cdi.kubevirt.io', version: 'v1beta1', plural: 'cdis', kind: 'CDI', namespaced: false};
const API_SERVICE: ResourceType = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  plural: 'apiservices',
  kind: 'APIService',
  namespaced: false,
};
const STORAGE_PROFILE: ResourceType = {
  group: 'cdi.kubevirt.io',
  version: 'v1beta1',
  plural: 'storageprofiles',
  kind: 'StorageProfile',
  namespaced: false,
};

/** ConfigMaps in which KubeVirt's programs look for the authority of their peers. */
const KUBEVIRT_CAS = ['kubevirt-ca', 'kubevirt-export-ca', 'kubevirt-backup-ca', 'kubevirt-external-ca'];

/** `${NAME}` in manifests/. */
export function manifestVariables({settings, versions}: Pick<UpContext, 'settings' | 'versions'>): Variables {
  const {virtApi: virt, cdiApi: cdi} = settings.network;
  return {
    VIRT_API_ADDRESS: virt.address,
    VIRT_API_PORT: String(virt.port),
    CDI_API_ADDRESS: cdi.address,
    CDI_API_PORT: String(cdi.port),
    KUBEVIRT_VERSION: versions.kubevirt,
  };
}

function caConfigMap(namespace: string, name: string, pem: string): AnyObject {
  return {...CONFIG_MAP_HEAD, metadata: {namespace, name}, data: {'ca-bundle': pem, 'ca-bundle.crt': pem}};
}
const CONFIG_MAP_HEAD = {apiVersion: 'v1', kind: 'ConfigMap'} as const;

/** Namespaces, RBAC, the storage class: what both the real controllers and the light hypervisor work under. */
export async function installVirtualizationBase(context: UpContext): Promise<void> {
  const {writer, build, client, signal} = context;
  const rbac = [...readDumped(build.manifests, 'kubevirt/rbac'), ...readDumped(build.manifests, 'cdi/rbac')];
  await writer.write(rbac.filter((object) => object.kind === 'Namespace'));
  await writer.write(rbac.filter((object) => object.kind !== 'Namespace'));
  const storage = readYaml(join(HERE, 'manifests/storage.yaml'));
  await writer.write(storage);
  // CDI will say the same as soon as it runs. The operator must not find a class of which nothing is known, or the first drives could not
  // be mounted by two hosts; and with --light there is no CDI to say it.
  for (const {kind, metadata, spec} of storage) {
    if (kind === 'StorageProfile')
      await client.mergePatch(STORAGE_PROFILE, {name: metadata.name}, {status: spec}, {subresource: 'status', signal});
  }
}

/** Services, authorities and the two configuration objects, as KubeVirt's and CDI's operators would leave them. */
export async function configureVirtualization(context: UpContext): Promise<void> {
  const {writer, paths, versions, client, signal} = context;
  const pem = (name: string): string => readFileSync(join(paths.pki, name), 'utf8');
  const variables = manifestVariables(context);
  await writer.write([
    ...KUBEVIRT_CAS.map((name) => caConfigMap('kubevirt', name, pem('ca.crt'))),
    caConfigMap('cdi', 'cdi-uploadserver-signer-bundle', pem('uploadserver.crt')),
    caConfigMap('cdi', 'cdi-uploadserver-client-signer-bundle', pem('uploadclient.crt')),
    signingKeySecret(pem('cdi-token/id_rsa'), pem('cdi-token/id_rsa.pub')),
    ...readYaml(join(HERE, 'manifests/kubevirt.yaml'), variables),
    ...readYaml(join(HERE, 'manifests/cdi.yaml'), variables),
  ]);
  const status = {
    phase: 'Deployed',
    defaultArchitecture: process.arch === 'arm64' ? 'arm64' : 'amd64', // without it every VMI is rejected
    observedKubeVirtVersion: versions.kubevirt,
    targetKubeVirtVersion: versions.kubevirt,
  };
  const kubevirt = {name: 'kubevirt', namespace: 'kubevirt'};
  const seen = (await client.get(KUBEVIRT, kubevirt, {signal})) as AnyObject & {status?: Record<string, unknown>};
  if (Object.entries(status).some(([name, value]) => seen.status?.[name] !== value)) {
    await client.mergePatch(KUBEVIRT, kubevirt, {status}, {subresource: 'status', signal});
  }
  const cdi = (await client.get(CDI, {name: 'cdi'}, {signal})) as AnyObject & {status?: {phase?: string}};
  if (cdi.status?.phase !== 'Deployed') await client.mergePatch(CDI, {name: 'cdi'}, {status: {phase: 'Deployed'}}, {signal}); // no status subresource
}

// cdi-apiserver would make this key itself; made beforehand, cdi-controller need not wait for it.
function signingKeySecret(privateKey: string, publicKey: string): AnyObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'cdi-api-signing-key', namespace: 'cdi', labels: {'cdi.kubevirt.io': 'keystore'}},
    type: 'Opaque',
    data: {id_rsa: Buffer.from(privateKey).toString('base64'), 'id_rsa.pub': Buffer.from(publicKey).toString('base64')},
  };
}

/** Starts KubeVirt's and CDI's programs. */
export function startVirtualization(context: UpContext): void {
  keep(context, virtApi(context), cdiApiserver(context), virtController(context, context.versions.kubevirt), cdiController(context));
}

/**
 * Registers webhooks and APIs, each once its server listens: kube-apiserver looks at an APIService whenever it changes, and after failed
 * looks waits twice as long each time, up to 30 s. Those that are registered since an earlier run are touched, for the same reason.
 */
export async function registerVirtualization(context: UpContext): Promise<void> {
  const {build, paths, writer, settings, client, signal} = context;
  const ca = readFileSync(join(paths.pki, 'ca.crt'), 'utf8');
  const register = async (server: string, {address, port}: Listener, files: readonly string[]): Promise<void> => {
    await waitReady(context, server, () => probeTcp(address, port), START_DEADLINE_MS);
    const objects = withCa(
      files.flatMap((file) => readDumped(build.manifests, file)),
      ca,
    );
    await writer.write(objects);
    for (const {kind, metadata} of objects) {
      if (kind !== 'APIService') continue;
      const touch = {metadata: {annotations: {'basalt.dev/server-started': new Date(context.startedAt).toISOString()}}};
      await client.mergePatch(API_SERVICE, {name: metadata.name}, touch, {signal});
    }
  };
  await Promise.all([
    register('virt-api', settings.network.virtApi, ['kubevirt/apiservices', 'kubevirt/webhooks']),
    register('cdi-apiserver', settings.network.cdiApi, ['cdi/registrations']),
  ]);
}

/** Waits until KubeVirt and CDI answer and work. */
export async function waitForVirtualization(context: UpContext): Promise<void> {
  const {client, signal} = context;
  const answers = (path: string) => async (): Promise<string | undefined> => {
    const answer = await client.raw('GET', path, {signal, acceptErrors: true});
    return answer.status === 200 ? undefined : `${path} answers ${answer.status}`;
  };
  const there =
    (type: ResourceType, ref: {name: string; namespace?: string}, check: (object: AnyObject) => boolean) =>
    async (): Promise<string | undefined> => {
      try {
        return check(await client.get(type, ref, {signal})) ? undefined : `${ref.name} is not as expected yet`;
      } catch (error) {
        if (isNotFound(error)) return `no ${type.kind} ${ref.name} yet`;
        throw error;
      }
    };
  await waitReady(context, 'virt-api', answers('/apis/subresources.kubevirt.io/v1'), START_DEADLINE_MS);
  await waitReady(context, 'cdi-apiserver', answers('/apis/upload.cdi.kubevirt.io/v1beta1'), START_DEADLINE_MS);
  await waitReady(
    context,
    'cdi-controller',
    there(STORAGE_PROFILE, {name: 'local-sim'}, ({status}) => (status as {storageClass?: string} | undefined)?.storageClass !== undefined),
    START_DEADLINE_MS,
  );
  const leads = (lease: AnyObject): boolean => {
    const {holderIdentity, renewTime} = (lease['spec'] ?? {}) as {holderIdentity?: string; renewTime?: string};
    return holderIdentity !== undefined && holderIdentity !== '' && Date.parse(renewTime ?? '') > context.startedAt;
  };
  await waitReady(
    context,
    'virt-controller',
    there(LEASE as ResourceType, {name: 'virt-controller', namespace: 'kubevirt'}, leads),
    START_DEADLINE_MS,
  );
}
