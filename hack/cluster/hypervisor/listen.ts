/** Listening, and ceasing to. */
import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';

/** A listening server. */
export interface Listening {
  readonly port: number;
  /** Closes the listener and its connections. */
  close(): Promise<void>;
}

/** Listens; port 0 takes a free one. Rejects when the address cannot be bound. */
export async function listen(
  server: Pick<Server, 'once' | 'listen' | 'address' | 'close' | 'closeAllConnections'>,
  {host, port}: {readonly host: string; readonly port: number},
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
