/** ServerGroup: who its members are. Placement itself is the Server's business; the group creates nothing. */
import {SERVER_GROUP} from '../../../crds/index.ts';
import type {Server, ServerGroup, ServerGroupStatus} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {keyOf} from '../../../kube/objects.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {NOT_DELETING, conditionsOf, someOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {createKindController} from '../shared/kind-controller.ts';

/** What was gathered: the servers that name the group, and which of `spec.members` exist. */
export interface GroupSeen {
  readonly group: ServerGroup;
  readonly naming: readonly string[];
  readonly exists: (server: string) => boolean;
  readonly duplicate: Judgement | undefined;
  readonly nowMs: number;
}

/** The whole status: the members are those that the group names and those that name it. */
export function serverGroupStatus({group, naming, exists, duplicate, nowMs}: GroupSeen): ServerGroupStatus {
  const listed = group.spec.members ?? [];
  const absent = listed.filter((name) => !exists(name));
  const members = new Set([...naming, ...listed.filter((name) => exists(name))]);
  const ready: Judgement = {
    type: 'Ready',
    status: 'True',
    reason: 'Ready',
    message: absent.length === 0 ? '' : `not there yet: ${someOf(absent)}`,
  };
  return {
    observedGeneration: group.metadata.generation ?? 0,
    uuid: uuidOf(group),
    members: members.size,
    conditions: conditionsOf(group, [duplicate ?? ready, NOT_DELETING], nowMs),
  };
}

/** Makes the ServerGroup controller. */
export function createServerGroupController(deps: Deps): ControllerDefinition {
  const {serverGroups, servers} = deps.informers;
  const keysOf = (server: Server | undefined): readonly string[] => {
    if (server === undefined) return [];
    const {namespace, name} = server.metadata;
    const listing = serverGroups.list(namespace).filter((group) => group.spec.members?.includes(name));
    return [...new Set([...(server.spec.serverGroups ?? []), ...listing.map((group) => group.metadata.name)])].map((group) =>
      keyOf({name: group, ...(namespace === undefined ? {} : {namespace})}),
    );
  };
  return createKindController<ServerGroupStatus, ServerGroup>({
    deps,
    name: 'servergroup',
    type: SERVER_GROUP,
    informer: serverGroups,
    workers: 2,
    watches: [
      watchOf(servers, ({kind, object, oldObject}) => {
        const moved = kind !== 'modified' || JSON.stringify(object.spec.serverGroups) !== JSON.stringify(oldObject?.spec.serverGroups);
        return moved ? [...new Set([...keysOf(object), ...keysOf(oldObject)])] : [];
      }),
    ],
    async reconcile(group, scope) {
      const {namespace, name} = group.metadata;
      const key = (server: string): string => keyOf({name: server, ...(namespace === undefined ? {} : {namespace})});
      const status = serverGroupStatus({
        group,
        naming: servers.byIndex('serverGroup', key(name)).map((server) => server.metadata.name),
        exists: (server) => servers.get(key(server)) !== undefined,
        duplicate: scope.duplicate,
        nowMs: scope.nowMs,
      });
      await scope.saveStatus(group, status);
      return DONE;
    },
  });
}
