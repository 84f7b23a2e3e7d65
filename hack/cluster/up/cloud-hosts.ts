/** The Host objects that `up` makes, told by a label from those that people make: only the former are changed and removed. */
import {HOST} from '../../../crds/index.ts';
import type {AnyObject, KubeObject} from '../../../kube/objects.ts';
import {hostOf, MADE_BY_LABEL} from '../objects/nodes.ts';
import {DeadlineError, waitFor} from '../waiting.ts';
import type {UpContext} from './context.ts';

const REMOVAL_DEADLINE_MS = 20_000;

/** True for a Host that `up` made. Whoever takes the label off makes the Host theirs. */
export function isOurs({metadata}: KubeObject): boolean {
  return metadata.labels?.[MADE_BY_LABEL.name] === MADE_BY_LABEL.value;
}

/** What to do about Hosts: `write` those that are wanted, `leave` alone the wanted ones that a person made, `remove` ours that are not wanted. */
export function planHostObjects(
  wanted: readonly AnyObject[],
  existing: readonly KubeObject[],
): {readonly write: AnyObject[]; readonly leave: string[]; readonly remove: string[]} {
  const names = new Set(wanted.map(({metadata}) => metadata.name));
  const foreign = new Set(existing.filter((host) => !isOurs(host)).map(({metadata}) => metadata.name));
  return {
    write: wanted.filter(({metadata}) => !foreign.has(metadata.name)),
    leave: [...names].filter((name) => foreign.has(name)),
    remove: existing.filter((host) => isOurs(host) && !names.has(host.metadata.name)).map(({metadata}) => metadata.name),
  };
}

async function plan({client, signal, hosts}: UpContext): Promise<ReturnType<typeof planHostObjects>> {
  const wanted = hosts.filter(({registered}) => registered).map((host, index) => hostOf(host, index, {region: 'default', cell: 'default'}));
  const {items} = await client.list(HOST, {signal});
  return planHostObjects(wanted, items);
}

/** The Hosts to write. Those that a person made under the same name are named and left alone. */
export async function hostObjects(context: UpContext): Promise<AnyObject[]> {
  const {write, leave} = await plan(context);
  if (leave.length > 0) context.say(`Left alone, since \`up\` did not make them: Host ${leave.join(', ')}`);
  return write;
}

/**
 * Removes the Hosts that an earlier `up` with more hosts made, and waits until the operator let them go, so that the next `up` may make them
 * again. One that stays longer is only named: it goes when what holds it does.
 */
export async function removeOldHosts(context: UpContext): Promise<void> {
  const {client, signal, say} = context;
  const {remove} = await plan(context);
  if (remove.length === 0) return;
  for (const name of remove) await client.delete(HOST, {name}, {signal});
  const probe = async (): Promise<string | undefined> => {
    const left = (await plan(context)).remove;
    return left.length === 0 ? undefined : `Host ${left.join(', ')} left`;
  };
  try {
    await waitFor(probe, {what: 'removal of Hosts', deadlineMs: REMOVAL_DEADLINE_MS, intervalMs: 100, signal});
    say(`Removed what is no longer asked for: Host ${remove.join(', ')}`);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    say(error.message);
  }
}
