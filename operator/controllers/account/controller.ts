/** Account: a namespace for its things, the owner's rights in it, and credentials hashed at rest. Deleting it deletes the namespace. */
import {ACCOUNT} from '../../../crds/index.ts';
import type {Account, AccountStatus} from '../../../crds/index.ts';
import {credentialsSecretOf} from '../../../crds/rules/names.ts';
import {LABELS} from '../../../crds/wellknown.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {keyOf, refOfObject} from '../../../kube/objects.ts';
import {NAMESPACE, ROLE_BINDING, SECRET} from '../../../kube/types.ts';
import type {Namespace, Secret} from '../../../kube/types.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps, Result} from '../../runtime/types.ts';
import {FIELD_MANAGER} from '../shared/finalizer.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {isControlledBy} from '../shared/owner.ts';
import {hashedData, mayHoldCredentials} from './credentials.ts';
import {desiredBindings, desiredNamespace, namespaceOf} from './plan.ts';
import {accountStatus, deletingAccountStatus} from './status.ts';
import type {AccountSeen} from './status.ts';

/** How often a namespace that empties is looked at again, in case its last event was missed, in milliseconds. */
const EMPTYING_POLL_MS = 30_000;

/** Makes the Account controller. */
export function createAccountController(deps: Deps): ControllerDefinition {
  const {accounts, namespaces, roleBindings, credentials} = deps.informers;
  const byLabel = ({object}: {readonly object: {readonly metadata: Namespace['metadata']}}): readonly string[] => {
    const account = object.metadata.labels?.[LABELS.account];
    return account === undefined ? [] : [account];
  };

  /** The Secret as it is now: from the cache, or (one without our label is not in it) by asking. */
  const secretOf = async (account: Account, signal: AbortSignal): Promise<Secret | undefined> => {
    const ref = {namespace: deps.systemNamespace, name: credentialsSecretOf(account)};
    const cached = credentials.get(keyOf(ref));
    if (cached !== undefined) return cached;
    try {
      return await deps.client.get(SECRET, ref, {signal});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const hashCredentials = async (account: Account, signal: AbortSignal): Promise<boolean> => {
    const secret = await secretOf(account, signal);
    if (secret === undefined || !mayHoldCredentials(secret, account)) return false;
    const data = await hashedData(secret);
    const labelled = secret.metadata.labels?.[LABELS.account] === account.metadata.name;
    if (data === undefined && labelled) return true;
    const metadata = {
      resourceVersion: secret.metadata.resourceVersion,
      ...(labelled ? {} : {labels: {[LABELS.account]: account.metadata.name}}),
    };
    const stored = await deps.client.mergePatch(
      SECRET,
      refOfObject(secret),
      {metadata, ...(data === undefined ? {} : {data})},
      {signal, fieldManager: FIELD_MANAGER},
    );
    credentials.observe(stored);
    if (data !== undefined)
      deps.events.event(account, {
        type: 'Normal',
        reason: 'CredentialsHashed',
        action: 'HashCredentials',
        message: `the cleartext in Secret ${secret.metadata.name} was replaced by hashes`,
      });
    return true;
  };

  const deleteIfOurs = async (account: Account, signal: AbortSignal): Promise<Namespace | undefined> => {
    // A fresh read: the finalizer goes only when the server itself says that the namespace is gone.
    let namespace: Namespace;
    try {
      namespace = await deps.client.get(NAMESPACE, {name: namespaceOf(account)}, {signal});
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    if (!isControlledBy(namespace, account)) return undefined;
    if (namespace.metadata.deletionTimestamp === undefined) {
      await deps.client.delete(NAMESPACE, {name: namespace.metadata.name}, {signal, preconditions: {uid: namespace.metadata.uid ?? ''}});
    }
    return namespace;
  };

  const deleteCredentials = async (account: Account, signal: AbortSignal): Promise<void> => {
    const secret = await secretOf(account, signal);
    if (secret === undefined || secret.metadata.labels?.[LABELS.account] !== account.metadata.name) return;
    try {
      await deps.client.delete(SECRET, refOfObject(secret), {signal, preconditions: {uid: secret.metadata.uid ?? ''}});
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  return createKindController<AccountStatus, Account>({
    deps,
    name: 'account',
    type: ACCOUNT,
    informer: accounts,
    workers: 4,
    watches: [watchOf(namespaces, byLabel), watchOf(roleBindings, byLabel), watchOf(credentials, byLabel)],
    async reconcile(account, scope): Promise<Result> {
      const hasCredentials = await hashCredentials(account, scope.signal);
      const name = namespaceOf(account);
      const live = namespaces.get(name);
      const obstacle: AccountSeen['obstacle'] =
        live === undefined || isControlledBy(live, account)
          ? live?.metadata.deletionTimestamp === undefined
            ? undefined
            : {reason: 'ObjectDeleted', message: `namespace ${name} is being deleted; it is made anew once it is gone`}
          : {reason: 'NamespaceTaken', message: `namespace ${name} exists and does not belong to this account`};
      if (obstacle === undefined) {
        const applied = await deps.applier.apply(NAMESPACE, desiredNamespace(account), live, {signal: scope.signal});
        namespaces.observe(applied.object);
        for (const binding of desiredBindings(account)) {
          const result = await deps.applier.apply(ROLE_BINDING, binding, roleBindings.get(keyOf(refOfObject(binding))), {
            signal: scope.signal,
          });
          roleBindings.observe(result.object);
        }
      }
      await scope.saveStatus(account, accountStatus({account, obstacle, hasCredentials, duplicate: scope.duplicate, nowMs: scope.nowMs}));
      return obstacle === undefined ? DONE : {kind: 'blocked', ...obstacle};
    },
    async finalize(account, scope): Promise<Result> {
      const namespace = await deleteIfOurs(account, scope.signal);
      if (namespace === undefined) {
        await deleteCredentials(account, scope.signal);
        return DONE;
      }
      await scope.saveStatus(account, deletingAccountStatus(account, scope.nowMs));
      return {kind: 'requeue', afterMs: EMPTYING_POLL_MS, why: `namespace ${namespace.metadata.name} is being emptied`};
    },
  });
}
