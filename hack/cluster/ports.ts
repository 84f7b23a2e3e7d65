/**
 * Ports of one cluster, all on loopback. They come from the cluster's own block below the kernel's range for outgoing connections
 * (32768 up): out of that range a restarting server may find its port taken by somebody's outgoing connection, or by its own client's
 * connection to itself.
 */
import {createServer} from 'node:net';

/** Ports of each block. */
const BLOCK = 48;
/** First block. 256 blocks end at 32287. */
const FIRST = 20_000;

/** Everything that listens on 127.0.0.1. */
export const PORT_NAMES = [
  'etcd',
  'etcdPeer',
  'apiserver',
  'controllerManager',
  'scheduler',
  'kwok',
  'virtController',
  'cdiController',
  'hypervisorMetrics',
  'images',
  'operator',
  'api',
  'cloudsigma',
  'apiMetrics',
  // Used only where this machine gives us no addresses of our own (network/plan.ts).
  'virtApi',
  'cdiApi',
  'handler',
  'podProxy',
] as const;

/** Name -> port. */
export type Ports = Readonly<Record<(typeof PORT_NAMES)[number], number>>;

/** The first port of a cluster's block. */
export function firstPort(slot: number): number {
  return FIRST + slot * BLOCK;
}

/**
 * A free port of the block for every name, in order.
 * @throws Error when the block has too few free ones.
 */
export async function choosePorts(slot: number, isFree: (port: number) => Promise<boolean>): Promise<Ports> {
  const chosen: Record<string, number> = {};
  let port = firstPort(slot);
  const end = port + BLOCK;
  for (const name of PORT_NAMES) {
    while (port < end && !(await isFree(port))) port++;
    if (port === end) throw new Error(`too few free ports between ${firstPort(slot)} and ${end - 1}: ${name} has none`);
    chosen[name] = port++;
  }
  return chosen as Ports;
}

/** True if nobody listens on the port of the address (or of every address). An address that is not this machine's has no listeners. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else if (error.code === 'EADDRNOTAVAIL') resolve(true);
      else reject(error);
    });
    server.listen({port, host, exclusive: true}, () => server.close(() => resolve(true)));
  });
}
