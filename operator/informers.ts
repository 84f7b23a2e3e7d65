/**
 * Every kind the operator watches, one informer each, shared by all controllers. The names of the indexes are part of the contract
 * with the controllers: `informer.byIndex(name, value)` throws for any other.
 */
import type {
  Account,
  Cell,
  Drive,
  Flavor,
  Host,
  Image,
  KeyPair,
  Network,
  Project,
  Region,
  Server,
  ServerGroup,
  ServerOperation,
} from '../crds/index.ts';
import type {Informer} from '../kube/informer.ts';
import type {KubeObject} from '../kube/objects.ts';
import type {CoreNode, Namespace, PersistentVolumeClaim, Pod, RoleBinding, Secret} from '../kube/types.ts';
import type {DataSource, DataVolume, VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceMigration} from './kubevirt/types.ts';

/**
 * Indexes (keys are `namespace/name` for namespaced kinds):
 * - all Basalt kinds: `id` (decimal `spec.id`), `uuid` (status.uuid, else uid)
 * - regions: none more · cells: `region` · hosts: `region`, `cell`, `node` (status.nodeName), `identity` (nodeName, hostname, address)
 * - drives: `image` (source image key), `sourceDrive` (source drive key), `server` (server key of each claim)
 * - images: `drive` (source drive key)
 * - servers: `drive` (key of each of disks[].drive), `image`, `flavor`, `network` (key), `keyPair` (key), `serverGroup` (key), `bootSecret` (key),
 *   `host` (status.host), `wantedHost`, `region`, `cell` (spec.placement)
 * - serverOperations: `server` (key) · networks: none more · projects: `account`
 * - nodes: `hostname` (label kubernetes.io/hostname), `address` (InternalIP), `host` (label topology.basalt.dev/host)
 * - pods (launchers only): `node`, `server` (namespace/name from the owner VMI's name) · virtualMachineInstances: `node`
 * - credentials: `account` (label basalt.dev/account)
 * - pvcs, dataVolumes, virtualMachines: by key only (child names are derived)
 */
export interface Informers {
  readonly regions: Informer<Region>;
  readonly cells: Informer<Cell>;
  readonly hosts: Informer<Host>;
  readonly accounts: Informer<Account>;
  readonly projects: Informer<Project>;
  readonly flavors: Informer<Flavor>;
  readonly images: Informer<Image>;
  readonly drives: Informer<Drive>;
  readonly servers: Informer<Server>;
  readonly serverOperations: Informer<ServerOperation>;
  readonly serverGroups: Informer<ServerGroup>;
  readonly keyPairs: Informer<KeyPair>;
  readonly networks: Informer<Network>;
  readonly nodes: Informer<CoreNode>;
  /** Only `kubevirt.io=virt-launcher`; spec and status cut down to node, requests, phase and conditions. */
  readonly pods: Informer<Pod>;
  /**
   * Only those labelled `basalt.dev/server`, and without their bytes: each value in `data` is `sha256:<hex>` of the decoded value, which
   * shows drift and costs 71 bytes. Index `server`. A person may write boot Secrets and VNC passwords without a label: get those.
   */
  readonly secrets: Informer<Secret>;
  /** Secrets of the system namespace labelled `basalt.dev/account`, with their bytes. */
  readonly credentials: Informer<Secret>;
  readonly namespaces: Informer<Namespace>;
  readonly roleBindings: Informer<RoleBinding>;
  readonly pvcs: Informer<PersistentVolumeClaim>;
  readonly dataVolumes: Informer<DataVolume>;
  readonly dataSources: Informer<DataSource>;
  readonly virtualMachines: Informer<VirtualMachine>;
  readonly virtualMachineInstances: Informer<VirtualMachineInstance>;
  readonly migrations: Informer<VirtualMachineInstanceMigration>;
  /** `instancetype.kubevirt.io/v1beta1` VirtualMachineClusterInstancetype, ours only (label `basalt.dev/flavor`). */
  readonly instancetypes: Informer<KubeObject>;
  /** `k8s.cni.cncf.io/v1` NetworkAttachmentDefinition, ours only (label `basalt.dev/network`). */
  readonly networkAttachments: Informer<KubeObject>;
}
