/** A pod for tests. */
import type {RunnerContainer, RunnerPod} from '../pod.ts';

/** A pod of one container that is run as `process/x`. */
export function podOf(
  container: Partial<RunnerContainer> = {},
  change: Partial<Omit<RunnerPod, 'spec'>> & {spec?: object} = {},
): RunnerPod {
  const {spec, metadata, ...rest} = change;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'p', namespace: 'ns', uid: 'u1', labels: {app: 'a'}, annotations: {note: 'hello'}, ...metadata},
    ...rest,
    spec: {nodeName: 'n1', serviceAccountName: 'sa', containers: [{name: 'c', image: 'process/x:1', ...container}], ...spec},
  };
}
