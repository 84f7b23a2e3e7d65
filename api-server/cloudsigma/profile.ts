/** The caller's account. */
import type {Answer, Input} from '../http/types.ts';
import {formatObject} from './codec.ts';
import {profileToText} from './profile-text.ts';

/** GET /profile/info. */
export function profileInfo(input: Input): Answer {
  return {status: 200, body: formatObject(profileToText(input.caller))};
}
