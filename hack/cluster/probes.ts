/** Looks at a server: each probe resolves with undefined (fine) or the reason why not, and never throws for a server that is not there. */
import {request as httpRequest} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {connect} from 'node:net';

const TIMEOUT_MS = 2_000;

/** Fine is an answer of 200. `ca` (PEM) checks an https server's certificate; without it, an https server on loopback is trusted. */
export function probeHttp(url: string, ca?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {timeout: TIMEOUT_MS, agent: false} as const;
    const request = url.startsWith('https:')
      ? httpsRequest(url, {...options, ...(ca === undefined ? {rejectUnauthorized: false} : {ca})})
      : httpRequest(url, options);
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `${url} answers ${response.statusCode}`);
    });
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.once('error', (error) => resolve(`${url}: ${error.message}`));
    request.end();
  });
}

/** Fine is an accepted connection, closed at once. */
export function probeTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({host, port, timeout: TIMEOUT_MS});
    const done = (reason: string | undefined): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => done(undefined));
    socket.once('timeout', () => done(`${host}:${port}: no answer within ${TIMEOUT_MS} ms`));
    socket.once('error', (error) => done(`${host}:${port}: ${error.message}`));
  });
}
