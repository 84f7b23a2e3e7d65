/** JSON bodies of the compute API: which media types it takes, and what is said about the others. */
import {isObject} from '../http/body.ts';
import {Failure} from '../http/failure.ts';
import type {PublicInput} from '../http/types.ts';
import {profileOf} from './profile.ts';

/**
 * The body as a JSON object. A missing Content-Type and undecodable JSON are 400; another media type is 400, of create and rename
 * (`strict`) what the profile says.
 */
export function jsonObject(input: PublicInput, {strict = false}: {readonly strict?: boolean} = {}): Record<string, unknown> {
  const {mediaType} = input.body;
  if (mediaType === '') throw new Failure('bad-request', 'Content-Type is missing, application/json is expected');
  if (!mediaType.startsWith('application/json')) {
    throw new Failure(
      strict ? profileOf(input.mount).wrongMediaType : 'bad-request',
      `Unsupported Content-Type "${mediaType.slice(0, 100)}", application/json is expected`,
    );
  }
  const body = input.body.json();
  if (!isObject(body)) throw new Failure('bad-request', 'Malformed request: a JSON object is expected');
  return body;
}
