/** Reads `POST /identity/v2.0/tokens`. Pure. */
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';

/** What a token is asked for with. */
export interface TokenRequest {
  readonly proof: {readonly user: string; readonly password: string} | {readonly token: string};
  /** `tenantName` or `tenantId`; undefined for the account's own. */
  readonly tenant: string | undefined;
}

/** Reads the body; throws `bad-request` naming the member that is missing. */
export function readTokenRequest(body: unknown): TokenRequest {
  const auth = isObject(body) ? body['auth'] : undefined;
  if (!isObject(auth)) throw new Failure('bad-request', 'Malformed request: "auth" is missing');
  const {passwordCredentials, token} = auth;
  const tenant = text(auth['tenantName']) ?? text(auth['tenantId']);
  if (isObject(passwordCredentials)) {
    const {username, password} = passwordCredentials;
    const user = text(username) ?? text(passwordCredentials['userId']);
    if (user === undefined || typeof password !== 'string')
      throw new Failure('bad-request', 'Malformed request: "username" or "password" is missing');
    return {proof: {user, password}, tenant};
  }
  if (isObject(token)) {
    const id = text(token['id']);
    if (id === undefined) throw new Failure('bad-request', 'Malformed request: "auth.token.id" is missing');
    return {proof: {token: id}, tenant};
  }
  throw new Failure('bad-request', 'Malformed request: "auth" needs "passwordCredentials" or "token"');
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
