/** Reads credentials out of a request, scheme by scheme. Pure: what is proved with them is authenticator.ts' business. */
import type {IncomingHttpHeaders} from 'node:http';
import type {AuthScheme} from './types.ts';

/** Credentials as sent. Never logged. */
export type Credentials =
  | {readonly scheme: 'basic'; readonly user: string; readonly password: string}
  | {readonly scheme: 'token'; readonly token: string}
  | {readonly scheme: 'api-key'; readonly key: string}
  | {readonly scheme: 'triple'; readonly user: string; readonly project: string; readonly secret: string};

/** Where credentials may be. */
export interface CredentialSource {
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
}

/**
 * The first credentials found, in the order of `schemes`; undefined when there are none. A triple needs all three headers; `X-Auth-Token`
 * alone is then a token, where the API takes one.
 */
export function readCredentials(source: CredentialSource, schemes: readonly AuthScheme[]): Credentials | undefined {
  for (const scheme of schemes) {
    const found = READERS[scheme](source);
    if (found !== undefined) return found;
  }
  return undefined;
}

const READERS: Readonly<Record<AuthScheme, (source: CredentialSource) => Credentials | undefined>> = {
  basic: ({headers}) => readBasic(headers.authorization),
  token: ({headers, query}) => {
    const token = one(headers['x-auth-token']) ?? nonEmpty(query.get('X-Auth-Token')) ?? nonEmpty(query.get('x-auth-token'));
    return token === undefined ? undefined : {scheme: 'token', token};
  },
  'api-key': ({headers}) => {
    const key = one(headers['api_key']) ?? one(headers['api-key']);
    return key === undefined ? undefined : {scheme: 'api-key', key};
  },
  triple: ({headers}) => {
    const [user, project, secret] = [one(headers['x-auth-user']), one(headers['x-auth-project']), one(headers['x-auth-token'])];
    return user === undefined || project === undefined || secret === undefined ? undefined : {scheme: 'triple', user, project, secret};
  },
};

/** `Basic base64(user:password)`; the password may contain colons. Undefined when it is not that. */
function readBasic(header: string | undefined): Credentials | undefined {
  const encoded = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : {scheme: 'basic', user: pair.slice(0, colon), password: pair.slice(colon + 1)};
}

const nonEmpty = (value: string | null | undefined): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : value;
const one = (value: string | string[] | undefined): string | undefined => nonEmpty(Array.isArray(value) ? value[0] : value);
