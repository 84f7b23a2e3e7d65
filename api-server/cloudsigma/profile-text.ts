/** An account as `profile/info` shows it. Pure. */
import type {Caller} from '../http/types.ts';
import type {TextObject} from './codec.ts';

/** Wire keys that the manual lists, and the member of `Account.spec.profile` behind each. Empty ones are shown, as in the manual. */
export const PROFILE_MEMBERS = [
  ['first_name', 'firstName'],
  ['last_name', 'lastName'],
  ['nick_name', 'nickName'],
  ['title', 'title'],
  ['company', 'company'],
  ['address', 'address'],
  ['postcode', 'postcode'],
  ['town', 'town'],
  ['phone', 'phone'],
  ['currency', 'currency'],
  ['country', 'country'],
  ['language', 'language'],
] as const;

/** A member of `Account.spec.profile`. */
export type ProfileMember = (typeof PROFILE_MEMBERS)[number][1];

/** The profile; `type regular` is there because jclouds fails without it. */
export function profileToText(caller: Pick<Caller, 'uuid' | 'email' | 'name' | 'account'>): TextObject {
  const profile: Readonly<Record<string, unknown>> = {
    nickName: caller.account.spec.displayName ?? caller.name,
    ...caller.account.spec.profile,
  };
  const members = PROFILE_MEMBERS.map(([key, member]): [string, string] => {
    const value = profile[member];
    return [key, typeof value === 'string' ? value : ''];
  });
  return {uuid: caller.uuid, email: caller.email, type: 'regular', ...Object.fromEntries(members)};
}
