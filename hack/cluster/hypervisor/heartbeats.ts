/**
 * The sign of life that virt-handler gives for its node: an annotation once a minute. KubeVirt's node controller calls a node unresponsive
 * whose last one is over five minutes old, and places no guests there until the handler says that it may again.
 */
import type {KubeClient} from '../../../kube/client.ts';
import type {Clock} from '../../../kube/clock.ts';
import {isNotFound} from '../../../kube/errors.ts';
import type {Informer} from '../../../kube/informer.ts';
import type {Logger} from '../../../kube/log.ts';
import {NODE} from '../../../kube/types.ts';
import type {CoreNode} from '../../../kube/types.ts';
import type {HostPower} from './host-power.ts';
import {createKeyedQueue} from './keyed-queue.ts';
import {wholeSecond} from './timestamps.ts';

const HEARTBEAT = 'kubevirt.io/heartbeat';
const SCHEDULABLE = 'kubevirt.io/schedulable';
/** virt-handler's own. */
const INTERVAL_MS = 60_000;
/** Nodes written at once: a thousand in a few seconds, and never a burst. */
const WORKERS = 4;

/** Gives signs of life for every node with power until it is stopped: now, once a minute, and when the power comes back. */
export function startHeartbeats(options: {
  readonly client: KubeClient;
  readonly nodes: Pick<Informer<CoreNode>, 'get' | 'list' | 'onChange'>;
  readonly power: HostPower;
  readonly clock: Clock;
  readonly log: Logger;
}): {stop(): Promise<void>} {
  const {client, nodes, power, clock, log} = options;
  const queue = createKeyedQueue({
    name: 'heartbeat',
    workers: WORKERS,
    clock,
    log,
    async run(name, signal) {
      if (nodes.get(name) === undefined || power.isOff(name)) return;
      const metadata = {labels: {[SCHEDULABLE]: 'true'}, annotations: {[HEARTBEAT]: wholeSecond(clock.now())}};
      try {
        await client.mergePatch(NODE, {name}, {metadata}, {signal});
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return;
      }
      return {againInMs: INTERVAL_MS};
    },
  });
  const unsubscribe = [
    nodes.onChange(({kind, object}) => {
      if (kind === 'added') queue.add(object.metadata.name);
    }),
    power.onChange((name) => queue.add(name)),
  ];
  for (const {metadata} of nodes.list()) queue.add(metadata.name);
  return {
    async stop() {
      for (const off of unsubscribe) off();
      await queue.stop();
    },
  };
}
