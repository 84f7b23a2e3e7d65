/**
 * The adapter between Express and the API modules: finds the module and the route, authenticates, reads the body, calls the handler,
 * renders what it returns or throws, and records the request once.
 */
import {randomUUID} from 'node:crypto';
import type {IncomingMessage} from 'node:http';
import express, {type Express, type Request, type Response as ExpressResponse} from 'express';
import type {Clock} from '../../kube/clock.ts';
import type {Logger} from '../../kube/log.ts';
import {sendAnswer} from './answer.ts';
import type {Authenticator} from './authenticator.ts';
import {DEFAULT_BODY_LIMIT_BYTES, readBody, requestBody} from './body.ts';
import {Failure} from './failure.ts';
import type {HttpMetrics} from './metrics.ts';
import {failureOf} from './normalise.ts';
import {writeProblem} from './problem.ts';
import {createRouter, type Match, type Router} from './router.ts';
import {hasRole, type Answer, type ApiModule, type Caller, type FailedRequest, type PublicInput, type Route} from './types.ts';

/** Deadline of a request whose route names none. */
export const DEFAULT_DEADLINE_MS = 60_000;

/** Collaborators of an app. */
export interface AppDeps {
  readonly authenticator: Authenticator;
  readonly metrics: HttpMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Scheme and host of links, without a final slash; absent: those of the request. */
  readonly publicUrl?: string | undefined;
  /** Aborts every request that is still running when the server gives up waiting. */
  readonly shutdown: AbortSignal;
}

/** One module with its compiled routes. */
interface Served {
  readonly module: ApiModule;
  readonly router: Router;
}

/** Builds the Express app of one listener. Modules may share a mount when their `collections` do not overlap. */
export function createApp(modules: readonly ApiModule[], deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);

  const byMount = new Map<string, Served[]>();
  for (const module of modules) {
    const served: Served = {module, router: createRouter(module.routes)};
    for (const mount of module.mounts) byMount.set(mount, [...(byMount.get(mount) ?? []), served]);
  }
  // The longest mount first: `/compute/v2.0` before `/compute`.
  for (const [mount, served] of [...byMount].sort(([a], [b]) => b.length - a.length)) {
    app.use(mount === '' ? '/' : mount, (request: Request, response: ExpressResponse) => handle(served, mount, request, response, deps));
  }
  app.use((request: Request, response: ExpressResponse) => handle([], '', request, response, deps));
  return app;
}

/** How long the rest of an oversized body may still come in. */
const DRAIN_MS = 2000;

/**
 * Reads on and throws away, for a while: a connection that is closed with unread data in it is reset, and the client never sees why.
 */
function drain(request: Request, clock: Clock): void {
  request.resume();
  const stop = clock.setTimer(DRAIN_MS, () => request.destroy());
  request.once('close', stop);
}

/** State of one request, filled in as far as it gets. */
interface Progress {
  module: ApiModule | undefined;
  label: string;
  caller: Caller | undefined;
}

async function handle(served: readonly Served[], mount: string, request: Request, response: ExpressResponse, deps: AppDeps): Promise<void> {
  const startedMs = deps.clock.monotonicMs();
  const requestId = requestIdOf(request);
  const log = deps.log.child({requestId});
  const target = splitTarget(request.url);
  const progress: Progress = {module: served[0]?.module, label: 'unmatched', caller: undefined};
  const abort = new AbortController();
  const onClose = (): void => abort.abort(new Failure('unavailable', 'The client went away'));
  const onShutdown = (): void => abort.abort(new Failure('unavailable', 'The server is shutting down', {retryAfterSeconds: 5}));
  response.once('close', onClose);
  deps.shutdown.addEventListener('abort', onShutdown, {once: true});
  deps.metrics.inFlight.inc();
  response.setHeader('x-request-id', requestId);

  let answer: Answer;
  try {
    answer = await answerOf({served, mount, request, target, requestId, log, abort, startedMs, progress}, deps);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'internal') log.error({err: failure.cause ?? failure, route: progress.label}, 'request failed');
    else if (failure.cause !== undefined) log.debug({err: failure.cause, code: failure.code}, 'request refused');
    answer = render(
      failure,
      progress.module,
      {method: request.method, mount, path: target.path, query: target.query, headers: request.headers, requestId},
      log,
    );
    if (failure.code === 'payload-too-large') drain(request, deps.clock);
  }

  let bytes = 0;
  try {
    if (!response.destroyed)
      bytes = await sendAnswer(response, answer, {contentType: progress.module?.contentType, headers: progress.module?.headers});
  } catch (error) {
    log.warn({err: error}, 'answer broke off');
    response.destroy();
  } finally {
    response.off('close', onClose);
    deps.shutdown.removeEventListener('abort', onShutdown);
    deps.metrics.inFlight.dec();
    const elapsedMs = deps.clock.monotonicMs() - startedMs;
    const api = progress.module?.name ?? 'none';
    deps.metrics.observe(api, progress.label, answer.status, elapsedMs / 1000);
    log.info(
      {
        api,
        route: progress.label,
        path: mount + target.path,
        status: answer.status,
        ms: Math.round(elapsedMs * 10) / 10,
        bytes,
        caller: progress.caller?.name,
        address: addressOf(request),
      },
      'request',
    );
  }
}

interface Arrived {
  readonly served: readonly Served[];
  readonly mount: string;
  readonly request: Request;
  readonly target: Target;
  readonly requestId: string;
  readonly log: Logger;
  readonly abort: AbortController;
  readonly startedMs: number;
  readonly progress: Progress;
}

async function answerOf(arrived: Arrived, deps: AppDeps): Promise<Answer> {
  const {request, target, abort, progress} = arrived;
  const {served, path} = choose(arrived.served, target.path);
  progress.module = served?.module;
  const match: Match = served === undefined ? {kind: 'unknown'} : served.router(request.method, path);
  if (match.kind === 'unknown' || served === undefined) throw new Failure('unknown-path');
  if (match.kind === 'wrong-method') throw new Failure('method-not-allowed', undefined, {allow: match.allow});
  progress.label = match.label;

  const {route} = match;
  const limitMs = route.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const stopTimer = deps.clock.setTimer(limitMs, () => abort.abort(new Failure('timeout')));
  try {
    return await untilAborted(
      runRoute(arrived, {module: served.module, route, params: match.params, path, deadlineMs: arrived.startedMs + limitMs}, deps),
      abort.signal,
    );
  } finally {
    stopTimer();
  }
}

interface Chosen {
  readonly module: ApiModule;
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly path: string;
  readonly deadlineMs: number;
}

async function runRoute(arrived: Arrived, chosen: Chosen, deps: AppDeps): Promise<Answer> {
  const {request, target, abort, mount, progress} = arrived;
  const {route, module} = chosen;
  const address = addressOf(request);
  if (route.auth !== 'public') {
    const caller = await deps.authenticator.authenticate(
      {headers: request.headers, query: target.query, address},
      module.schemes,
      abort.signal,
    );
    progress.caller = caller;
    if (route.roles !== undefined && !route.roles.some((role) => hasRole(caller, role))) throw new Failure('forbidden');
  }
  const stream = route.body === 'stream' ? request : undefined;
  const raw =
    stream === undefined ? await readBody(request, route.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES, abort.signal) : Buffer.alloc(0);
  const origin = deps.publicUrl ?? originOf(request);
  const input: PublicInput = {
    method: request.method,
    mount,
    path: chosen.path,
    rawPath: target.path,
    params: chosen.params,
    query: target.query,
    headers: request.headers,
    body: requestBody(raw, request.headers['content-type']),
    stream,
    origin,
    baseUrl: origin + mount,
    requestId: arrived.requestId,
    signal: abort.signal,
    deadlineMs: chosen.deadlineMs,
    log: arrived.log,
    address,
  };
  if (route.auth === 'public') return route.handler(input, undefined);
  if (progress.caller === undefined) throw new Failure('internal', 'no caller behind authentication');
  return route.handler({...input, caller: progress.caller}, undefined);
}

/** The module that answers for a path, and the path as its routes spell it. */
function choose(served: readonly Served[], rawPath: string): {readonly served: Served | undefined; readonly path: string} {
  for (const candidate of served) {
    const path = tidy(candidate.module, rawPath);
    const first = path.split('/', 2)[1] ?? '';
    if (candidate.module.collections?.includes(first) === true) return {served: candidate, path};
  }
  const general = served.find((candidate) => candidate.module.collections === undefined) ?? served[0];
  return {served: general, path: general === undefined ? rawPath : tidy(general.module, rawPath)};
}

function tidy(module: ApiModule, rawPath: string): string {
  const path = module.rewrite?.(rawPath) ?? rawPath;
  if (path === '/') return '';
  return path.endsWith('/') && (module.trailingSlash?.(path) ?? true) ? path.slice(0, -1) : path;
}

/** A handler that ignores its signal still does not keep the client waiting past the deadline. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, {once: true});
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function render(failure: Failure, module: ApiModule | undefined, request: FailedRequest, log: Logger): Answer {
  if (module === undefined) return writeProblem(failure);
  try {
    return module.writeError(failure, request);
  } catch (error) {
    log.error({err: error}, 'error writer failed');
    return writeProblem(failure);
  }
}

interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Express leaves the raw target below the mount in `url`, always beginning with `/`. */
function splitTarget(url: string): Target {
  const mark = url.indexOf('?');
  return mark < 0 ? {path: url, query: new URLSearchParams()} : {path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1))};
}

const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '';

/** The client's own id when it is harmless to log and send back, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** `http://host:port` as the client addressed us; a Host header with anything odd in it is not echoed into links. */
function originOf(request: IncomingMessage): string {
  const host = request.headers.host ?? '';
  return `http://${/^[\w.:[\]-]{1,255}$/.test(host) ? host : 'localhost'}`;
}
