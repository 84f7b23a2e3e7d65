/** Reads what is known of the networks that guests are on, and remembers it for a while: a fleet starts many guests at once. */
import {NETWORK} from '../../../../crds/index.ts';
import type {KubeClient} from '../../../../kube/client.ts';
import type {Clock} from '../../../../kube/clock.ts';
import {isNotFound} from '../../../../kube/errors.ts';
import type {NetworkFacts} from './addressing.ts';

/** How long an answer holds. Networks hardly ever change, and guests learn of it at their next start only. */
const FRESH_MS = 10_000;
const DEADLINE_MS = 10_000;
/** More than a cluster has; the oldest answers go first. */
const MOST = 1_000;

/** An attachment that is no network of ours: guests meet there, and that is all. */
const PLAIN: NetworkFacts = {kind: 'vlan', cidr: undefined, gateway: undefined, nameservers: [], ranges: []};

/** What is known of networks. */
export interface NetworkBook {
  /** The facts of the network with this NetworkAttachmentDefinition (`namespace/name`, the same as the Network's). Rejects with ApiError. */
  find(attachment: string): Promise<NetworkFacts>;
}

/** Creates an empty one. */
export function createNetworkBook({client, clock}: {readonly client: KubeClient; readonly clock: Clock}): NetworkBook {
  const known = new Map<string, {readonly untilMs: number; readonly facts: Promise<NetworkFacts>}>();
  return {
    find(attachment) {
      const present = known.get(attachment);
      if (present !== undefined && present.untilMs > clock.monotonicMs()) return present.facts;
      const facts = read(client, attachment);
      known.delete(attachment);
      known.set(attachment, {untilMs: clock.monotonicMs() + FRESH_MS, facts});
      facts.catch(() => known.get(attachment)?.facts === facts && known.delete(attachment));
      for (const oldest of known.keys()) {
        if (known.size <= MOST) break;
        known.delete(oldest);
      }
      return facts;
    },
  };
}

async function read(client: KubeClient, attachment: string): Promise<NetworkFacts> {
  const [namespace = '', name = ''] = attachment.split('/');
  try {
    const {spec} = await client.get(NETWORK, {namespace, name}, {signal: AbortSignal.timeout(DEADLINE_MS)});
    return {
      kind: spec.type === 'Public' ? 'public' : 'vlan',
      cidr: spec.cidr,
      gateway: spec.gateway,
      nameservers: spec.nameservers ?? [],
      ranges: spec.ranges ?? [],
    };
  } catch (error) {
    if (isNotFound(error)) return PLAIN;
    throw error;
  }
}
