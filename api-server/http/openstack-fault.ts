/** Faults of the OpenStack APIs (compute, identity, image, network): one member named after the fault. Pure. */
import {Failure, type FailureCode} from './failure.ts';
import {failureHeaders} from './problem.ts';
import type {Answer} from './types.ts';

/** Names of faults as OpenStack Compute 1.1 and Cyclades know them. */
export type FaultName =
  | 'badRequest'
  | 'unauthorized'
  | 'forbidden'
  | 'itemNotFound'
  | 'notAllowed'
  | 'conflict'
  | 'buildInProgress'
  | 'overLimit'
  | 'badMediaType'
  | 'internalServerError'
  | 'notImplemented'
  | 'serviceUnavailable';

/** A fault before it is written as JSON or XML. */
export interface Fault {
  readonly name: FaultName;
  readonly code: number;
  readonly message: string;
  /** Empty outside debugging. */
  readonly details: string;
}

const NAMES: Readonly<Record<FailureCode, readonly [FaultName, number]>> = {
  'bad-request': ['badRequest', 400],
  invalid: ['badRequest', 400],
  'bad-body': ['badRequest', 400],
  unauthenticated: ['unauthorized', 401],
  // Nova's own way to say it: overLimit with 429 and Retry-After.
  'too-many-failures': ['overLimit', 429],
  forbidden: ['forbidden', 403],
  'not-found': ['itemNotFound', 404],
  'unknown-path': ['itemNotFound', 404],
  'method-not-allowed': ['notAllowed', 405],
  'not-acceptable': ['badRequest', 400],
  conflict: ['conflict', 409],
  'already-exists': ['conflict', 409],
  'in-use': ['conflict', 409],
  building: ['buildInProgress', 409],
  'payload-too-large': ['overLimit', 413],
  'over-limit': ['overLimit', 413],
  'unsupported-media-type': ['badMediaType', 415],
  internal: ['internalServerError', 500],
  'not-implemented': ['notImplemented', 501],
  unavailable: ['serviceUnavailable', 503],
  timeout: ['serviceUnavailable', 503],
};

/** The fault of a failure. */
export function faultOf(failure: Failure): Fault {
  const [name, code] = NAMES[failure.code];
  return {name, code, message: failure.message, details: ''};
}

/** Headers that every answer of an OpenStack API carries, errors included. */
export const OPENSTACK_HEADERS: Readonly<Record<string, string>> = {
  vary: 'X-Auth-Token',
  'cache-control': 'no-cache, no-store, must-revalidate',
};

/** Writes a fault as JSON. */
export function writeFault(fault: Fault, failure: Failure): Answer {
  const {name, code, message, details} = fault;
  return {status: code, headers: failureHeaders(failure), body: {[name]: {code, message, details}}};
}
