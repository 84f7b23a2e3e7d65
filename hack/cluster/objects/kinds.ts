/** From an object to its place in the API: a table of the built-in kinds that our manifests use, extended by the CRDs among them. */
import type {AnyObject, ResourceType} from '../../../kube/objects.ts';

// apiVersion, kind, plural, namespaced
const BUILT_IN: readonly (readonly [string, string, string, boolean])[] = [
  ['v1', 'Namespace', 'namespaces', false],
  ['v1', 'Node', 'nodes', false],
  ['v1', 'PersistentVolume', 'persistentvolumes', false],
  ['v1', 'Pod', 'pods', true],
  ['v1', 'ConfigMap', 'configmaps', true],
  ['v1', 'Secret', 'secrets', true],
  ['v1', 'Service', 'services', true],
  ['v1', 'ServiceAccount', 'serviceaccounts', true],
  ['apps/v1', 'DaemonSet', 'daemonsets', true],
  ['apps/v1', 'Deployment', 'deployments', true],
  ['coordination.k8s.io/v1', 'Lease', 'leases', true],
  ['discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', true],
  ['storage.k8s.io/v1', 'StorageClass', 'storageclasses', false],
  ['scheduling.k8s.io/v1', 'PriorityClass', 'priorityclasses', false],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', false],
  ['rbac.authorization.k8s.io/v1', 'Role', 'roles', true],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', true],
  ['apiregistration.k8s.io/v1', 'APIService', 'apiservices', false],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', false],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', false],
];

/** What is read of a CustomResourceDefinition. */
export interface Crd extends AnyObject {
  readonly spec: {
    readonly group: string;
    readonly scope: 'Namespaced' | 'Cluster';
    readonly names: {readonly kind: string; readonly plural: string};
    readonly versions: readonly {readonly name: string; readonly served: boolean; readonly storage: boolean}[];
  };
}

/** Knows the kinds of a set of manifests. */
export class Kinds {
  readonly #types = new Map<string, ResourceType>();

  constructor() {
    for (const [apiVersion, kind, plural, namespaced] of BUILT_IN) this.#add(apiVersion, kind, plural, namespaced);
  }

  #add(apiVersion: string, kind: string, plural: string, namespaced: boolean): void {
    const slash = apiVersion.indexOf('/');
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
    this.#types.set(`${apiVersion} ${kind}`, {group, version, plural, kind, namespaced});
  }

  /** Adds all versions of a CRD. */
  addCrd(crd: Crd): void {
    const {group, names, scope, versions} = crd.spec;
    for (const version of versions) this.#add(`${group}/${version.name}`, names.kind, names.plural, scope === 'Namespaced');
  }

  /** The type of an object. Throws for a kind that is neither built in nor among the CRDs added. */
  of(object: {readonly apiVersion: string; readonly kind: string}): ResourceType {
    const type = this.#types.get(`${object.apiVersion} ${object.kind}`);
    if (type === undefined) throw new Error(`no such kind here: ${object.apiVersion} ${object.kind}`);
    return type;
  }
}
