/** Faults of the compute API: the catalogue of http/openstack-fault.ts with what the two profiles change, as JSON or XML. Pure. */
import type {Failure} from '../http/failure.ts';
import {faultOf, writeFault, type Fault} from '../http/openstack-fault.ts';
import {failureHeaders} from '../http/problem.ts';
import {isObject} from '../http/body.ts';
import type {Answer, FailedRequest} from '../http/types.ts';
import {formatOf, XML_TYPE} from './format.ts';
import {profileOf} from './profile.ts';
import {faultXml} from './xml.ts';

/** Writes any failure of a compute request. */
export function writeComputeError(failure: Failure, request: FailedRequest): Answer {
  const fault = computeFault(failure, request.mount);
  if (formatOf(request, request.path) === 'xml') {
    return {status: fault.code, headers: {...failureHeaders(failure), 'content-type': XML_TYPE}, body: faultXml(fault.name, fault)};
  }
  return writeFault(fault, failure);
}

/** The fault of a failure at a mount. */
export function computeFault(failure: Failure, mount: string): Fault {
  switch (failure.code) {
    // The document: invalid URLs are a BadRequest, not a 404.
    case 'unknown-path':
      return {name: 'badRequest', code: 400, message: 'API endpoint not found', details: ''};
    case 'method-not-allowed':
      return profileOf(mount).wrongVerb === 400
        ? {name: 'badRequest', code: 400, message: 'Method not allowed', details: ''}
        : {name: 'notAllowed', code: 405, message: 'Method not allowed', details: ''};
    case 'unauthenticated':
      return {
        name: 'unauthorized',
        code: 401,
        message: isMissing(failure) ? 'Access denied. No authentication token' : 'Access denied. Invalid token',
        details: '',
      };
    default:
      return faultOf(failure);
  }
}

/** Whether no credentials were sent at all. */
export function isMissing({extra}: Failure): boolean {
  return isObject(extra) && extra['missing'] === true;
}
