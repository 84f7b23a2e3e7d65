/** Names that objects, labels and annotations of Basalt share with its users. */

/** The one finalizer of every kind. */
export const FINALIZER = 'basalt.dev/finalizer';
/** Suspends reconciling when `"true"`. */
export const PAUSED_ANNOTATION = 'basalt.dev/paused';
/** RFC 3339 deadline past which the finalizer goes although something may be left behind. */
export const FORCE_DELETE_ANNOTATION = 'basalt.dev/force-delete';
/** Where the operator, the api-server, public images and networks, credentials and id counters live. */
export const SYSTEM_NAMESPACE = 'basalt-system';
/** Name of the public Network, in the system namespace. */
export const PUBLIC_NETWORK = 'public';

/** Field managers, one per writer and concern. */
export const FIELD_MANAGERS = {
  operator: 'basalt-operator',
  operatorStatus: 'basalt-operator-status',
  apiServer: 'basalt-api-server',
} as const;

/** Labels on objects; values are `metadata.name` of the kind. */
export const LABELS = {
  server: 'basalt.dev/server',
  drive: 'basalt.dev/drive',
  image: 'basalt.dev/image',
  account: 'basalt.dev/account',
  region: 'basalt.dev/region',
  cell: 'basalt.dev/cell',
  host: 'basalt.dev/host',
} as const;

/** Labels on Nodes; values are `metadata.name` of the kind. */
export const TOPOLOGY_LABELS = {
  region: 'topology.basalt.dev/region',
  cell: 'topology.basalt.dev/cell',
  host: 'topology.basalt.dev/host',
} as const;

const ACCOUNT_NAMESPACE_PREFIX = 'acct-';

/** The namespace of an Account. */
export const accountNamespace = (accountName: string): string => ACCOUNT_NAMESPACE_PREFIX + accountName;
/** The name of the Account whose namespace it is; undefined when it is none's. */
export const accountOfNamespace = (namespace: string): string | undefined =>
  namespace.startsWith(ACCOUNT_NAMESPACE_PREFIX) ? namespace.slice(ACCOUNT_NAMESPACE_PREFIX.length) : undefined;
/** The default name of an Account's Secret in the system namespace. */
export const credentialsSecretName = (accountName: string): string => `${accountName}-credentials`;
