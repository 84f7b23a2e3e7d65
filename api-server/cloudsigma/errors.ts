/** Errors in the words of the CloudSigma API: `errors:<field> <message>` lines, mixed with the keys that were sent. */
import type {FailedRequest, Answer} from '../http/types.ts';
import {Failure, type FieldProblem} from '../http/failure.ts';
import {formatObject, type Properties} from './codec.ts';

/** The media type of every answer, whatever the request says. */
export const TEXT = 'text/plain; charset=utf-8';

/** Keys whose values are never sent back. */
const SECRET_KEYS: ReadonlySet<string> = new Set(['vnc:password', 'password', 'secret_key']);

/** 404 with the phrase that jclouds and dasein look for. `what`: Drive, Server. */
export function notFound(what: string, uuid: string): Failure {
  return new Failure('not-found', `${what} ${uuid} could not be found`);
}

/** 409 with the phrase that jclouds looks for. `field` is the offending key, absent for the object itself. */
export function inUse(what: string, uuid: string, options: {field?: string; echo?: Properties} = {}): Failure {
  const message = `${what} ${uuid} is currently in use`;
  const fields = options.field === undefined ? [] : [{path: options.field, message}];
  return new Failure('in-use', message, {fields, extra: options.echo});
}

/** 400 that names each wrong key and sends the others back. */
export function invalid(problems: readonly FieldProblem[], echo?: Properties): Failure {
  return new Failure('invalid', undefined, {fields: problems, extra: echo});
}

/** Collects what is wrong with the keys of a body, so that one answer names it all. */
export class Problems {
  #list: FieldProblem[] = [];

  add(key: string, message: string): void {
    this.#list.push({path: key, message});
  }

  has(key: string): boolean {
    return this.#list.some(({path}) => path === key);
  }

  /** Drops what is known already. */
  forget(known: Problems): void {
    const old = new Set(known.#list.map(({path, message}) => `${path} ${message}`));
    this.#list = this.#list.filter(({path, message}) => !old.has(`${path} ${message}`));
  }

  /** Throws the 400 when anything was added. */
  throwIfAny(echo: Properties): void {
    if (this.#list.length > 0) throw invalid(this.#list, echo);
  }
}

/** How the cluster's own validation names what this API calls otherwise. */
const KEY_OF_PATH: Readonly<Record<string, string>> = {
  'spec.bootOrder': 'boot',
  'spec.cpu': 'cpu',
  'spec.description': 'description',
  'spec.memoryMiB': 'mem',
  'spec.metadata': 'user',
  'spec.name': 'name',
  'spec.readers': 'readers',
  'spec.sizeBytes': 'size',
  'spec.tags': 'tags',
  'spec.use': 'use',
};

const keyOf = (path: string): string => KEY_OF_PATH[/^spec\.\w+/.exec(path)?.[0] ?? ''] ?? (path.startsWith('spec') ? 'system' : path);

const isProperties = (extra: unknown): extra is Properties => extra instanceof Map;

/** Echoed keys first, then one `errors:` line per problem; a problem that belongs to no key is `errors:system`. */
function errorText(failure: Failure, message: string): string {
  const lines: Record<string, string> = {};
  if (isProperties(failure.extra)) {
    for (const [key, value] of failure.extra) if (value !== undefined && !SECRET_KEYS.has(key)) lines[key] = value;
  }
  let text = formatObject(lines);
  // The cluster adds a cause without a field when it could not check everything; beside a real one it says nothing.
  const problems = failure.fields.filter(({path}) => path !== '' && path !== '<nil>');
  if (problems.length === 0) text += formatObject({'errors:system': message});
  for (const {path, message: problem} of problems) text += formatObject({[`errors:${keyOf(path)}`]: problem});
  return text;
}

function messageOf(failure: Failure, request: FailedRequest): string {
  switch (failure.code) {
    case 'unknown-path':
      return `Command ${request.path} could not be found`;
    case 'method-not-allowed':
      return `${request.method} used on a command that expects ${failure.allow.join(' or ')}`;
    case 'not-implemented':
      return `${request.method} ${request.path} is not implemented`;
    case 'in-use':
      return failure.message.includes('currently in use') ? failure.message : `${failure.message}: currently in use`;
    case 'not-found':
      return failure.message.includes('could not be found') ? failure.message : `${failure.message}: could not be found`;
    default:
      return failure.message;
  }
}

/** Renders any failure as text. */
export function writeError(failure: Failure, request: FailedRequest): Answer {
  const headers: Record<string, string> = {'content-type': TEXT};
  if (failure.status === 401) headers['www-authenticate'] = 'Basic realm="CloudSigma API", charset="UTF-8"';
  if (failure.allow.length > 0) headers['allow'] = failure.allow.join(', ');
  if (failure.retryAfterSeconds !== undefined) headers['retry-after'] = String(failure.retryAfterSeconds);
  return {status: failure.status, headers, body: errorText(failure, messageOf(failure, request))};
}
