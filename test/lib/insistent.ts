/** Clients of the REST APIs that do what real ones do when a server dies under them: send again what nobody acknowledged. */
import {setTimeout as sleep} from 'node:timers/promises';

/** An answer, and how many tries before it were lost: sent, perhaps carried out, never acknowledged. */
export interface Acknowledged {
  readonly status: number;
  readonly text: string;
  readonly lost: number;
}

/** One request. */
export interface RestRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const DEADLINE_MS = 60_000;
const PAUSE_MS = 50;

/** Sends until somebody answers with anything but a failure of the server. Throws after a minute. */
export async function insist({url, ...request}: RestRequest): Promise<Acknowledged> {
  const end = performance.now() + DEADLINE_MS;
  let last = '';
  for (let lost = 0; performance.now() < end; lost++) {
    try {
      const answer = await fetch(url, {...request, signal: AbortSignal.timeout(DEADLINE_MS)});
      const text = await answer.text();
      if (answer.status < 500) return {status: answer.status, text, lost};
      last = `${answer.status} ${text.slice(0, 200)}`;
    } catch (error) {
      last = String(error);
    }
    await sleep(PAUSE_MS);
  }
  throw new Error(`${request.method ?? 'GET'} ${url}: no answer for ${DEADLINE_MS / 1000} s; last: ${last}`);
}

/** Requests of one account to the Compute API. */
export const compute =
  (base: string, token: string) =>
  (method: string, path: string, body?: object): RestRequest => ({
    method,
    url: `${base}${path}`,
    headers: {'X-Auth-Token': token, 'Content-Type': 'application/json'},
    ...(body === undefined ? {} : {body: JSON.stringify(body)}),
  });

/** Requests of one account to the CloudSigma API; the fields become its `key value` lines. */
export const cloudSigma =
  (base: string, user: string, password: string) =>
  (method: string, path: string, fields?: Readonly<Record<string, string | number>>): RestRequest => ({
    method,
    url: `${base}${path}`,
    headers: {authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, 'Content-Type': 'text/plain'},
    ...(fields === undefined
      ? {}
      : {
          body: Object.entries(fields)
            .map(([key, value]) => `${key} ${value}\n`)
            .join(''),
        }),
  });
