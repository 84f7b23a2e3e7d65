/** Opens ports of this machine that lead into a guest, by qemu's user network: which ones, and where they end up. */
import type {QmpClient} from '../qemu/qmp.ts';
import {addressText} from './ipv4.ts';

/** Annotation of a Server or VM: more TCP ports of the guest, e.g. `8080, 5432`; {@link MOST_PORTS} at most. */
export const PORTS_ANNOTATION = 'guest.basalt.dev/ports';

/** Ports that every guest is reached at. */
const USUAL: ReadonlyMap<number, string> = new Map([
  [22, 'ssh'],
  [80, 'http'],
  [443, 'https'],
]);
const MOST_PORTS = 16;
/** Added to a port that only root may open. */
const UNPRIVILEGED = 10_000;

/** The guest's ports to be opened: the usual ones, and those of the annotation. What is not a port is passed over. */
export function portsOf(annotation: string | undefined): readonly number[] {
  const asked = (annotation ?? '').split(/[\s,]+/).filter((text) => /^\d{1,5}$/.test(text));
  const ports = [...USUAL.keys(), ...asked.map(Number).filter((port) => port > 0 && port < 65_536)];
  return [...new Set(ports)].slice(0, USUAL.size + MOST_PORTS);
}

/** What a port is called where people read it: `ssh`, `http`, `https`, else `tcp-<port>`. */
export const portName = (port: number): string => USUAL.get(port) ?? `tcp-${port}`;

/** A port of this machine. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The loopback address that stands for a guest's own: every cluster has its own (its second number), as far as they go. */
export function loopbackFor(address: number, slot: number): string {
  const cluster = 1 + (slot % 244); // 127.0 is everybody's, 127.245 is that of pods
  return `127.${cluster}.${addressText(address).split('.').slice(2).join('.')}`;
}

/** Where a guest's port may be opened, best first: on its own address, on a loopback address, there without root, and anywhere (port 0). */
export function placesFor(
  port: number,
  options: {readonly address: number; readonly isRouted: boolean; readonly slot: number},
): readonly Place[] {
  const loopback = loopbackFor(options.address, options.slot);
  const hosts = options.isRouted ? [addressText(options.address), loopback] : [loopback];
  return [
    ...hosts.map((host) => ({host, port})),
    ...(port < 1_024 ? [{host: loopback, port: port + UNPRIVILEGED}] : []),
    {host: '127.0.0.1', port: 0}, // other systems than Linux have one loopback address only
  ];
}

/** A port that leads into the guest. */
export interface Forward extends Place {
  readonly guestPort: number;
}

/** The forwards that `info usernet` lists for one user network. */
export function parseForwards(listing: string, netdev: string): readonly Forward[] {
  const forwards: Forward[] = [];
  let isOurs = false;
  for (const line of listing.split(/\r?\n/)) {
    const head = /^Hub -?\d+ \(([\w-]+)\):\s*$/.exec(line);
    if (head !== null) isOurs = head[1] === netdev;
    const row = /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/.exec(line);
    if (isOurs && row !== null) forwards.push({host: row[1] ?? '', port: Number(row[2]), guestPort: Number(row[3])});
  }
  return forwards;
}

/** Opens what is not open. Returns what is open then: a port that nowhere could be opened is absent. Rejects with QmpError. */
export async function openForwards(
  qmp: QmpClient,
  request: {
    readonly netdev: string;
    readonly address: number;
    readonly ports: readonly number[];
    readonly places: (port: number) => readonly Place[];
    /** A TCP port of 127.0.0.1 that nobody listens on. */
    readonly freePort: () => Promise<number>;
  },
): Promise<readonly Forward[]> {
  const {netdev, address, ports} = request;
  const open = [...parseForwards(await monitor(qmp, 'info usernet'), netdev)];
  for (const guestPort of ports) {
    if (open.some((forward) => forward.guestPort === guestPort)) continue;
    for (const place of request.places(guestPort)) {
      const port = place.port === 0 ? await request.freePort() : place.port;
      const answer = await monitor(qmp, `hostfwd_add ${netdev} tcp:${place.host}:${port}-${addressText(address)}:${guestPort}`);
      if (answer !== '') continue; // somebody has it, or this program may not
      open.push({host: place.host, port, guestPort});
      break;
    }
  }
  return ports.flatMap((guestPort) => open.filter((forward) => forward.guestPort === guestPort).slice(0, 1));
}

/** Closes all of them. Connections that are open stay so. */
export async function closeForwards(qmp: QmpClient, netdev: string): Promise<void> {
  for (const {host, port} of parseForwards(await monitor(qmp, 'info usernet'), netdev))
    await monitor(qmp, `hostfwd_remove ${netdev} tcp:${host}:${port}`);
}

async function monitor(qmp: QmpClient, line: string): Promise<string> {
  const answer = await qmp.execute('human-monitor-command', {'command-line': line});
  return typeof answer === 'string' ? answer.trim() : '';
}
