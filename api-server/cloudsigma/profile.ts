/** The caller's account: shown, and changed by its owner. */
import {isDeepStrictEqual} from 'node:util';
import type {Account} from '../../crds/index.ts';
import type {Answer, Caller, Input, ModuleDeps} from '../http/types.ts';
import {formatObject, parseProperties} from './codec.ts';
import {Problems} from './errors.ts';
import {readProfileSet} from './profile-input.ts';
import {profileToText} from './profile-text.ts';

const answer = (caller: Pick<Caller, 'uuid' | 'email' | 'name' | 'account'>): Answer => ({
  status: 200,
  body: formatObject(profileToText(caller)),
});

/** GET /profile/info. */
export function profileInfo(input: Input): Answer {
  return answer(input.caller);
}

/** POST /profile/set: 200 and the profile. The e-mail address is a user name, so no two accounts may have one. */
export async function profileSet(input: Input, {store}: ModuleDeps): Promise<Answer> {
  const {caller, signal} = input;
  const body = parseProperties(input.body.text());
  const echo = new Map([...Object.entries(profileToText(caller)).map(([key, value]) => [key, String(value)] as const), ...body]);
  const isTaken = (email: string): boolean =>
    store.accounts.list().some(({metadata, spec}) => metadata.name !== caller.name && spec.email.toLowerCase() === email.toLowerCase());
  const problems = new Problems();
  const change = readProfileSet(body, problems);
  if (change.email !== undefined && isTaken(change.email)) problems.add('email', 'another user has this address');
  problems.throwIfAny(echo);
  const {account} = caller;
  const spec = {...(change.email === undefined ? {} : {email: change.email}), profile: {...account.spec.profile, ...change.profile}};
  if (isDeepStrictEqual({...account.spec, ...spec}, account.spec)) return answer(caller);
  const changed: Account = await store.accounts.patch({name: caller.name}, {spec}, {signal});
  return answer({...caller, account: changed, email: changed.spec.email});
}
