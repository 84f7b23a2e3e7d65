/** Routes that keep a cluster's traffic on this machine. They need root on Linux; elsewhere nothing is added and nothing is dialled. */
import {execFileSync} from 'node:child_process';
import {networkInterfaces} from 'node:os';
import type {RangeRouter} from './guest-ranges.ts';
import {POD_RANGE, SERVICE_RANGE} from './plan.ts';
import type {NetworkPlan} from './plan.ts';

const IP_TIMEOUT_MS = 5_000;

function ip(...args: string[]): string {
  return execFileSync('ip', args, {encoding: 'utf8', timeout: IP_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe']});
}

/**
 * True if this process may add routes: tried, not guessed, because root in a container often may not. BASALT_ROUTES=off says no, to see
 * what happens without.
 */
export function mayAddRoutes(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['BASALT_ROUTES'] === 'off' || process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    // A route that no cluster uses (slots end at 255, but this /32 is the network's last address).
    ip('route', 'replace', 'local', '10.245.255.255/32', 'dev', 'lo');
    ip('route', 'del', 'local', '10.245.255.255/32', 'dev', 'lo');
    return true;
  } catch {
    return false; // no `ip` command, or no right
  }
}

/** Makes a subnet an address range of this machine, and of it alone. */
export function addLocalSubnet(subnet: string): void {
  ip('route', 'replace', 'local', subnet, 'dev', 'lo');
}

/** The inverse of {@link addLocalSubnet}; a subnet that is not there is no error. */
export function removeLocalSubnet(subnet: string): void {
  if (ip('route', 'show', 'table', 'local', 'exact', subnet).trim() !== '') ip('route', 'del', 'local', subnet, 'dev', 'lo');
}

/**
 * Makes the pod and service ranges unreachable, so that a connection to a fake pod fails at once and leaves no packet. A range that already
 * has a route here belongs to somebody's real network and is left alone.
 * @returns the ranges that are closed now, and those left alone.
 */
export function closeRanges(): {closed: string[]; foreign: string[]} {
  const result = {closed: [] as string[], foreign: [] as string[]};
  for (const range of [POD_RANGE, SERVICE_RANGE]) {
    const routes = ip('route', 'show', 'root', range).trim();
    if (routes === '') ip('route', 'add', 'unreachable', range);
    result[routes === '' || routes.startsWith('unreachable') ? 'closed' : 'foreign'].push(range);
  }
  return result;
}

/** The inverse of {@link closeRanges}: removes only unreachable routes. */
export function openRanges(): void {
  for (const range of [POD_RANGE, SERVICE_RANGE]) {
    if (ip('route', 'show', 'exact', range).trim().startsWith('unreachable')) ip('route', 'del', 'unreachable', range);
  }
}

/** Routes of the public ranges of real guests (guest-ranges.ts). */
export const rangeRouter: RangeRouter = {
  may: mayAddRoutes,
  destinations() {
    const routes = JSON.parse(ip('-json', '-4', 'route', 'show', 'table', 'all')) as readonly {readonly dst?: string}[];
    return routes.flatMap(({dst}) => (dst === undefined || dst === 'default' ? [] : [dst]));
  },
  // Connections come from 127.0.0.1 then. From the guest's own address, which would be chosen else, the guest takes no packet.
  add: (range) => void ip('route', 'replace', 'local', range, 'dev', 'lo', 'src', '127.0.0.1'),
  remove: removeLocalSubnet,
};

/** The router of a cluster: one that was started without routes adds none later, whoever asks (`BASALT_ROUTES` is not its programs' to read). */
export const rangeRouterOf = (mode: NetworkPlan['mode']): RangeRouter =>
  mode === 'local-route' ? rangeRouter : {...rangeRouter, may: () => false};

/** The machine's first IPv4 address that is neither loopback nor link-local. */
export function ownAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (address.family === 'IPv4' && !address.internal && !address.address.startsWith('169.254.')) return address.address;
    }
  }
  return undefined;
}
