/** Project: what its account uses of it, counted from Server and Drive specs (never from pods, whose overhead is not the customer's). */
import {PROJECT} from '../../../crds/index.ts';
import type {Project, ProjectStatus} from '../../../crds/index.ts';
import {accountNamespace, accountOfNamespace} from '../../../crds/wellknown.ts';
import type {KubeObject} from '../../../kube/objects.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {createKindController} from '../shared/kind-controller.ts';
import {projectStatus} from './status.ts';

/** Servers and drives change in bursts; a project is counted again at most so often, in milliseconds. */
const COUNTING_DELAY_MS = 2_000;

/** Makes the Project controller. */
export function createProjectController(deps: Deps): ControllerDefinition {
  const {projects, servers, drives, flavors} = deps.informers;
  const ofNamespace = ({object}: {readonly object: KubeObject}): readonly string[] => {
    const account = accountOfNamespace(object.metadata.namespace ?? '');
    return account === undefined ? [] : projects.byIndex('account', account).map((project) => project.metadata.name);
  };
  return createKindController<ProjectStatus, Project>({
    deps,
    name: 'project',
    type: PROJECT,
    informer: projects,
    workers: 2,
    watches: [watchOf(servers, ofNamespace, {delayMs: COUNTING_DELAY_MS}), watchOf(drives, ofNamespace, {delayMs: COUNTING_DELAY_MS})],
    async reconcile(project, scope) {
      const namespace = project.spec.account === undefined ? undefined : accountNamespace(project.spec.account);
      const status = projectStatus({
        project,
        servers: namespace === undefined ? [] : servers.list(namespace),
        drives: namespace === undefined ? [] : drives.list(namespace),
        flavor: (name) => flavors.get(name),
        duplicate: scope.duplicate,
        nowMs: scope.nowMs,
      });
      await scope.saveStatus(project, status);
      return DONE;
    },
  });
}
