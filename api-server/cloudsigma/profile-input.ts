/** From the body of `profile/set` to what changes of an account. Pure. Only the keys that are sent change. */
import {valueOf, type Properties} from './codec.ts';
import type {Problems} from './errors.ts';
import {PROFILE_MEMBERS, type ProfileMember} from './profile-text.ts';

/** What the body changes. */
export interface ProfileChange {
  readonly email: string | undefined;
  readonly profile: Readonly<Partial<Record<ProfileMember, string>>>;
}

/** Keys that the manual calls required: they can be changed, not emptied. */
const REQUIRED: ReadonlySet<string> = new Set(['email', 'first_name', 'last_name', 'nick_name']);
/** Shown, and set elsewhere: once set, the currency of the bills stays. */
const FIXED: ReadonlySet<string> = new Set(['currency']);

const EMAIL = /^[^@\s]+@[^@\s]+$/;
const MAX_TEXT = 255;
const MAX_ADDRESS = 1024;
const MAX_EMAIL = 254;

/** Reads the body; problems go to `problems`. Unknown keys are dropped. */
export function readProfileSet(body: Properties, problems: Problems): ProfileChange {
  for (const key of REQUIRED) if (body.has(key) && valueOf(body, key) === undefined) problems.add(key, '* This field is required.');
  const email = valueOf(body, 'email')?.trim();
  if (email !== undefined && (!EMAIL.test(email) || email.length > MAX_EMAIL)) problems.add('email', 'Enter a valid e-mail address.');
  const profile: Partial<Record<ProfileMember, string>> = {};
  for (const [key, member] of PROFILE_MEMBERS) {
    if (!body.has(key) || FIXED.has(key)) continue;
    const value = valueOf(body, key)?.trim() ?? '';
    const max = key === 'address' ? MAX_ADDRESS : MAX_TEXT;
    if (value.length > max) problems.add(key, `must not be longer than ${max} characters`);
    profile[member] = value;
  }
  return {email, profile};
}
