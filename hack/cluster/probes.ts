/** Looks at a server: each probe resolves with undefined (fine) or the reason why not, and never throws for a server that is not there. */
import {request as httpRequest} from 'node:http';
import {request as httpsRequest} from 'node:https';

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
