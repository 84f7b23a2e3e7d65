/** GET /extensions: none, and none by any name. */
import {Failure} from '../http/failure.ts';
import type {Answer} from '../http/types.ts';

/** GET /extensions. */
export function listExtensions(): Answer {
  return {status: 200, body: {extensions: []}};
}

/** GET /extensions/{alias}. */
export function getExtension(): Answer {
  throw new Failure('not-found', 'Extension not found.');
}
