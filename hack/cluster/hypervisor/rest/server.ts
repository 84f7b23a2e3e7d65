/**
 * The endpoint that virt-api calls on a node: TLS on both sides, as virt-handler has it. Every fake host's virt-handler pod has the
 * address of this one server.
 */
import {createServer} from 'node:https';
import type {IncomingMessage} from 'node:http';
import {TLSSocket} from 'node:tls';
import type {Clock} from '../../../../kube/clock.ts';
import type {Logger} from '../../../../kube/log.ts';
import {listen} from '../listen.ts';
import type {Listening} from '../listen.ts';
import {createHandlers, VERB_TIMEOUT_MS} from './http.ts';
import type {RouteContext} from './routes.ts';
import {createSessions} from './sessions.ts';

/** Common name of virt-api's client certificate towards handlers. */
export const VIRT_API_CLIENT = 'kubevirt.io:system:client:virt-handler';

/** Options of {@link startRestServer}; certificates as PEM. */
export interface RestServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  /** Signs virt-api's client certificate. */
  readonly ca: string;
  readonly context: RouteContext;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Listens. Rejects when the address cannot be bound or the certificates cannot be used. */
export async function startRestServer(options: RestServerOptions): Promise<Listening> {
  const {context, log} = options;
  const server = createServer({
    cert: options.cert,
    key: options.key,
    ca: options.ca,
    requestCert: true,
    rejectUnauthorized: true,
    requestTimeout: VERB_TIMEOUT_MS,
  });
  const sessions = createSessions({clock: options.clock, log});
  const handlers = createHandlers({context, sessions, log, refuse: refuseOthers});
  server.on('request', handlers.request);
  server.on('upgrade', handlers.upgrade);
  server.on('tlsClientError', (error) => log.warn({err: error}, 'TLS handshake refused'));
  const listening = await listen(server, options);
  server.on('error', (error) => log.error({err: error}, 'listener'));
  return {
    ...listening,
    close: async () => {
      sessions.close();
      await listening.close();
    },
  };
}

/** The CA signs other programs' certificates as well: only virt-api may command guests. */
function refuseOthers({socket}: IncomingMessage): string | undefined {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  return name === VIRT_API_CLIENT ? undefined : `client certificate of ${String(name)}: only ${VIRT_API_CLIENT} may call`;
}
