/** What an Account becomes: a namespace, and in it the right for its owner to use it with kubectl. Pure. */
import type {Account} from '../../../crds/index.ts';
import {LABELS, accountNamespace} from '../../../crds/wellknown.ts';
import type {Namespace, RoleBinding} from '../../../kube/types.ts';
import {controllerReference} from '../shared/owner.ts';

/** ClusterRoles of the chart that an owner gets inside the namespace: what to read, what to change. */
export const OWNER_ROLES = ['basalt-view', 'basalt-edit'] as const;

/** Name of an account's namespace. */
export const namespaceOf = (account: Account): string => accountNamespace(account.metadata.name);

/** The namespace. The Account owns it (both are cluster-scoped), so not even a forced deletion leaves it behind. */
export function desiredNamespace(account: Account): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespaceOf(account),
      labels: {[LABELS.account]: account.metadata.name, 'app.kubernetes.io/managed-by': 'basalt'},
      ownerReferences: [controllerReference(account)],
    },
  };
}

/** One binding per role, for the user whom the cluster's authentication knows by the account's e-mail address. */
export function desiredBindings(account: Account): readonly RoleBinding[] {
  return OWNER_ROLES.map((role) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: {name: role, namespace: namespaceOf(account), labels: {[LABELS.account]: account.metadata.name}},
    roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role},
    subjects: [{apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: account.spec.email}],
  }));
}
