/** The networks of real guests, put together for a hypervisor. */
import {createServer} from 'node:net';
import type {KubeClient} from '../../../../kube/client.ts';
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import {claimRange, type RangeVerdict} from '../../network/guest-ranges.ts';
import type {NetworkPlan} from '../../network/plan.ts';
import {rangeRouterOf} from '../../network/routes.ts';
import {ownIdentity} from '../../process-identity.ts';
import {createGuestNetworks} from './guest-networks.ts';
import {createNetworkBook} from './network-book.ts';
import type {GuestNetworks} from './networks.ts';
import {createReachBook} from './reach.ts';
import {createWire, portBlockOf} from './wire.ts';

/** Creates them. `dir` and `slot` are the cluster's. */
export function createClusterNetworks(options: {
  /** An administrator's. */
  readonly client: KubeClient;
  readonly dir: string;
  readonly slot: number;
  /** Whether routes may be added for them. */
  readonly network: NetworkPlan['mode'];
  readonly clock: Clock;
  readonly log: Logger;
}): GuestNetworks {
  const {client, dir, slot, clock, log} = options;
  const router = rangeRouterOf(options.network);
  const verdicts = new Map<string, RangeVerdict>();
  return createGuestNetworks({
    book: createNetworkBook({client, clock}),
    reach: createReachBook({client, log}),
    wire: createWire({block: portBlockOf(slot), log}),
    async isRouted(range) {
      const before = verdicts.get(range);
      if (before?.routed === true) return true;
      const verdict = await claimRange({dir, cidr: range, by: ownIdentity()}, router);
      verdicts.set(range, verdict);
      if (!verdict.routed && before === undefined) log.info({range, why: verdict.why}, 'its guests are reached on loopback addresses');
      return verdict.routed;
    },
    freePort,
    slot,
    log,
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({host: '127.0.0.1', port: 0}, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no free TCP port on 127.0.0.1')),
      );
    });
  });
}
