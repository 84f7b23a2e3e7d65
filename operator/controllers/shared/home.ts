/** Whom a namespace belongs to. Pure. */
import type {Reason} from '../../../crds/index.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import type {Change} from '../../../kube/informer.ts';
import type {Account} from '../../../crds/index.ts';
import type {Deps} from '../../runtime/types.ts';

/** Why nothing is made for an object: its namespace is neither an account's nor the system's. Absent: it is. */
export function noAccount(
  {informers, systemNamespace}: Pick<Deps, 'informers' | 'systemNamespace'>,
  {metadata: {namespace = ''}}: KubeObject,
): {readonly reason: Reason; readonly message: string} | undefined {
  if (namespace === systemNamespace || informers.accounts.list().some(({status}) => status?.namespace === namespace)) return undefined;
  return {reason: 'NoAccount', message: `namespace ${namespace} belongs to no account, so nothing is made in it`};
}

/** The namespace that an account has got with a change, if it has. */
export const namespaceGot = ({object, oldObject}: Change<Account>): string | undefined =>
  object.status?.namespace === oldObject?.status?.namespace ? undefined : object.status?.namespace;
