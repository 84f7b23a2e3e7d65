/** The status of an Account. */
import type {Reason} from '../../../crds/conditions.ts';
import type {Account, AccountStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {NOT_DELETING, conditionsOf, deletingBecause} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {namespaceOf} from './plan.ts';

/** What was seen. */
export interface AccountSeen {
  readonly account: Account;
  /** Why the namespace cannot be used (it is another's, or is being deleted), if so. */
  readonly obstacle: {readonly reason: Reason; readonly message: string} | undefined;
  readonly hasCredentials: boolean;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status of a living Account. One without credentials is ready: it may be meant for kubectl alone. */
export function accountStatus({account, obstacle, hasCredentials, duplicate, nowMs}: AccountSeen): AccountStatus {
  const ready: Judgement =
    obstacle === undefined
      ? {
          type: 'Ready',
          status: 'True',
          reason: 'Ready',
          message: hasCredentials
            ? 'namespace and credentials are in place'
            : 'the namespace is in place; without credentials nobody can log in over REST',
        }
      : {type: 'Ready', status: 'False', ...obstacle};
  return {
    observedGeneration: account.metadata.generation ?? 0,
    uuid: uuidOf(account),
    namespace: namespaceOf(account),
    phase: obstacle === undefined ? 'Active' : 'Pending',
    conditions: conditionsOf(account, [duplicate ?? ready, NOT_DELETING], nowMs),
  };
}

/** The whole status while the namespace empties. */
export function deletingAccountStatus(account: Account, nowMs: number): AccountStatus {
  return {
    observedGeneration: account.metadata.generation ?? 0,
    uuid: uuidOf(account),
    namespace: namespaceOf(account),
    phase: 'Deleting',
    conditions: conditionsOf(
      account,
      [
        {type: 'Ready', status: 'False', reason: 'Deleting', message: 'the account is being deleted'},
        deletingBecause('WaitingForNamespace', `namespace ${namespaceOf(account)} is being emptied`),
      ],
      nowMs,
    ),
  };
}
