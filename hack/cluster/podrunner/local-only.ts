/**
 * Keeps the processes of pods on this machine. They share its network, so they are told to go through a proxy for every address that is not
 * this machine's own, and the proxy refuses, in words that reach the person who asked for the import. This is a guard, not a wall: a
 * program that ignores `http_proxy` is not stopped by it. CDI's programs heed it.
 */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {networkInterfaces} from 'node:os';

const REFUSAL = 'The local cluster reaches addresses of this machine only';

/** Variables for the processes. */
export function proxyEnvironment(proxy: {readonly host: string; readonly port: number}, own: readonly string[]): Record<string, string> {
  const url = `http://${proxy.host}:${proxy.port}`;
  // Ranges of which every address is this machine's; Service names lead to pods, by the hosts file.
  const direct = ['localhost', '127.0.0.0/8', '.svc', '.svc.cluster.local', ...own].join(',');
  return {http_proxy: url, https_proxy: url, HTTP_PROXY: url, HTTPS_PROXY: url, no_proxy: direct, NO_PROXY: direct};
}

/** This machine's own IPv4 addresses. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({family}) => family === 'IPv4').map(({address}) => address),
  );
}

/** Starts the proxy that refuses; port 0: any free one. */
export async function startRefusingProxy(host: string, port: number): Promise<{readonly port: number; close(): Promise<void>}> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, REFUSAL, {connection: 'close'}).end(`${REFUSAL}: ${request.url ?? ''}\n`);
  });
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 403 ${REFUSAL}\r\nconnection: close\r\n\r\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
