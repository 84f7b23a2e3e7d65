/** What `up` says about reaching servers: where their addresses answer, and whether that took root. */
import {NETWORK} from '../../../crds/index.ts';
import {REACH_ANNOTATION} from '../hypervisor/net/reach.ts';
import {claimRange, type RangeVerdict} from '../network/guest-ranges.ts';
import {rangeRouterOf} from '../network/routes.ts';
import {ownIdentity} from '../process-identity.ts';
import type {UpContext} from './context.ts';

/** Gives the public networks' addresses to this machine, where it may, and says how a server is reached. Nothing with simulated guests. */
export async function reachGuests(context: UpContext): Promise<readonly string[]> {
  if (context.settings.guests !== 'qemu' || !context.settings.programs) return [];
  const {items} = await context.client.list(NETWORK, {signal: context.signal});
  const ranges = items.flatMap(({spec: {type, cidr}}) => (type === 'Public' && cidr !== undefined ? [cidr] : []));
  const router = rangeRouterOf(context.settings.network.mode);
  const lines: string[] = [];
  for (const cidr of new Set(ranges)) {
    const verdict = await claimRange({dir: context.paths.dir, cidr, by: ownIdentity()}, router);
    lines.push(reachLine(cidr, verdict));
  }
  return lines;
}

/** The line about one range. Pure. */
export function reachLine(cidr: string, verdict: RangeVerdict): string {
  const where = verdict.routed ? 'their own addresses (ssh root@ADDRESS)' : `loopback addresses (${verdict.why})`;
  return `Servers on ${cidr} answer from this machine on ${where}, ports 22, 80, 443. Where exactly: annotation ${REACH_ANNOTATION} of each server.`;
}
