/** Errors of the Craton API: `{"code","status","message","fields"}`, every problem on a line of its own. */
import {Failure, type FieldProblem} from '../http/failure.ts';
import type {Answer, FailedRequest} from '../http/types.ts';
import {formatJson} from './json.ts';

/** The media type of every answer. */
export const JSON_TYPE = 'application/json';

/** How the cluster's own validation names what this API calls otherwise. */
const MEMBER_OF_PATH: Readonly<Record<string, string>> = {
  'spec.address': 'ip_address',
  'spec.data': 'data',
  'spec.hostname': 'hostname',
  'spec.manufacturer': 'hw_manufacturer',
  'spec.name': 'name',
  'spec.note': 'note',
  'spec.projectId': 'project_id',
  'spec.services': 'service',
  'spec.state': 'status',
  'spec.type': 'device_type',
};

const memberOf = (path: string): string => MEMBER_OF_PATH[/^spec\.\w+/.exec(path)?.[0] ?? ''] ?? path;

/** Collects what is wrong with a body or with arguments, so that one answer lists it all. */
export class Problems {
  readonly #list: FieldProblem[] = [];

  add(member: string, message: string): void {
    this.#list.push({path: member, message});
  }

  /** Adds the problems of a part of the body, such as `cells[0]`. */
  addAll(part: string, problems: Problems): void {
    for (const {path, message} of problems.#list) this.add(`${part}.${path}`, message);
  }

  get any(): boolean {
    return this.#list.length > 0;
  }

  /** Throws the 400 when anything was added. */
  throwIfAny(): void {
    if (this.any) throw new Failure('invalid', undefined, {fields: this.#list});
  }
}

/** 404; `what`: Region, Cell, Host. */
export function notFound(what: string, id: string): Failure {
  return new Failure('not-found', `${what} not found: ${id}`);
}

/** 409 for a name that is taken. */
export function duplicate(what: string, member: string, name: string): Failure {
  const message = `${what} with ${member} ${JSON.stringify(name)} already exists`;
  return new Failure('already-exists', message, {fields: [{path: member, message}]});
}

function messageOf(failure: Failure, request: FailedRequest): string {
  switch (failure.code) {
    case 'unknown-path':
      return `${request.mount}${request.path} is no part of this API`;
    case 'method-not-allowed':
      return `${request.method} is not allowed here: use ${failure.allow.join(' or ')}`;
    case 'not-implemented':
      return `${request.method} ${request.mount}${request.path} is not implemented`;
    case 'invalid':
      if (failure.fields.length === 0) return failure.message;
      return [
        'The request has these problems:',
        ...failure.fields.map(({path, message}) => `- ${memberOf(path)}: ${message}`).toSorted(),
      ].join('\n');
    default:
      return failure.message;
  }
}

/** The cluster adds a cause without a field when it could not check everything; beside a real one it says nothing. */
const isNamed = ({path}: FieldProblem): boolean => path !== '' && path !== '<nil>';

/** Renders any failure. `fields` names the offending members, sorted, and is empty when there are none. */
export function writeError(failure: Failure, request: FailedRequest): Answer {
  const headers: Record<string, string> = {'content-type': JSON_TYPE};
  if (failure.allow.length > 0) headers['allow'] = failure.allow.join(', ');
  if (failure.retryAfterSeconds !== undefined) headers['retry-after'] = String(failure.retryAfterSeconds);
  const fields = [...new Set(failure.fields.filter(isNamed).map(({path}) => memberOf(path)))].toSorted().join(', ');
  const {status} = failure;
  return {status, headers, body: formatJson({code: status, status, message: messageOf(failure, request), fields})};
}
