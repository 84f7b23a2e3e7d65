/** Sends one call: place in line, deadline, credentials, retries, errors, metrics. `kube/transport.ts` makes verbs of it. */
import type {Dispatcher} from 'undici';
import type {Clock} from './clock.ts';
import type {ConnectionPools} from './connections.ts';
import type {CredentialSource, Credentials} from './credentials.ts';
import {startDeadline} from './deadline.ts';
import {ApiError} from './errors.ts';
import type {Logger} from './log.ts';
import {retryDelay} from './retry.ts';
import type {RetryCause, RetryPolicy} from './retry.ts';
import type {Semaphore} from './semaphore.ts';
import {errorOfAnswer, errorOfConnection, errorOfDeadline} from './status-error.ts';
import type {CallName} from './status-error.ts';

/** What the transport reports; `kube/metrics.ts` has the Prometheus implementation. */
export interface TransportMetrics {
  /** One request on the wire ended. `code` is the HTTP status, or `<error>` when no answer came. A watch counts when its headers are in. */
  requestEnded(request: {
    readonly method: string;
    readonly verb: string;
    readonly code: string;
    readonly host: string;
    readonly durationMs: number;
  }): void;
  /** A call is sent again. */
  retried(request: {readonly verb: string; readonly host: string; readonly cause: RetryCause | '401'}): void;
}

/** A call to be sent. */
export interface OutgoingCall extends CallName {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whether sending it twice does no more than sending it once. */
  readonly idempotent: boolean;
  /** For the whole call, waiting and retries included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly maxRetries?: number | undefined;
  /** Takes answers from 400 up as answers (429 and 503 are still retried). */
  readonly acceptErrors?: boolean;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Buffer;
}

/** What a caller works with. */
export interface CallerParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly credentials: CredentialSource;
  readonly pools: ConnectionPools;
  /** Places for running calls; watches take none. */
  readonly places: Semaphore;
  readonly retry: RetryPolicy;
  readonly metrics: TransportMetrics | undefined;
  readonly userAgent: string;
}

/** Sends calls. */
export class Caller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  /** Sends a call until it is answered. Rejects with an {@link ApiError}, or the reason of the call's signal when that aborted. */
  async send(call: OutgoingCall): Promise<Answer> {
    const {clock, retry, random, metrics} = this.#parts;
    const endsMs = clock.monotonicMs() + call.timeoutMs;
    const policy = call.maxRetries === undefined ? retry : {...retry, maxRetries: call.maxRetries};
    const deadline = startDeadline(clock, call.timeoutMs, call.signal, () => errorOfDeadline(call, call.timeoutMs));
    try {
      for (let retries = 0; ; retries++) {
        const outcome = await this.#attempt(call, deadline.signal);
        if (!(outcome instanceof FailedAttempt)) return outcome;
        const {error, host} = outcome;
        const again = retryDelay(error, call.idempotent, retries, policy, random);
        if (again === undefined || clock.monotonicMs() + again.delayMs > endsMs) {
          if (outcome.answer !== undefined && call.acceptErrors === true) return outcome.answer;
          throw error;
        }
        metrics?.retried({verb: call.verb, host, cause: again.cause});
        await clock.sleep(again.delayMs, deadline.signal);
      }
    } finally {
      deadline.done();
    }
  }

  /** Opens a stream (a watch): resolves when the headers are in. No retries; the reader of the stream knows better. `signal` cuts it. */
  async open(call: OutgoingCall, signal: AbortSignal): Promise<Dispatcher.ResponseData['body']> {
    const {clock} = this.#parts;
    // The deadline ends with the headers, yet aborting must go on working while the body flows: so it has a controller of its own.
    const cut = new AbortController();
    const onAbort = (): void => cut.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, {once: true});
    const cancelTimer = clock.setTimer(call.timeoutMs, () => cut.abort(errorOfDeadline(call, call.timeoutMs)));
    let opened = false;
    try {
      const {response} = await this.#authorized(call, cut.signal, 'watch');
      if (response.statusCode >= 400) throw errorOfAnswer(call, response.statusCode, response.headers, await response.body.text());
      opened = true;
      response.body.once('close', () => signal.removeEventListener('abort', onAbort));
      return response.body;
    } catch (error) {
      throw failureOf(call, error, cut.signal);
    } finally {
      cancelTimer();
      if (!opened) signal.removeEventListener('abort', onAbort);
    }
  }

  async #attempt(call: OutgoingCall, signal: AbortSignal): Promise<Answer | FailedAttempt> {
    const {places} = this.#parts;
    await this.#enter(call, signal);
    let host = '';
    try {
      const {response, credentials} = await this.#authorized(call, signal, 'unary');
      host = hostOf(credentials);
      const answer = {status: response.statusCode, headers: response.headers, body: Buffer.from(await response.body.arrayBuffer())};
      this.#warn(call, answer.headers['warning']);
      if (answer.status < 400) return answer;
      return new FailedAttempt(errorOfAnswer(call, answer.status, answer.headers, answer.body.toString()), host, answer);
    } catch (error) {
      const failure = failureOf(call, error, signal);
      if (!(failure instanceof ApiError) || signal.aborted) throw failure;
      return new FailedAttempt(failure, host);
    } finally {
      places.release();
    }
  }

  async #enter(call: OutgoingCall, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.places.acquire(signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof RangeError)) throw error;
      throw new ApiError({
        verb: call.verb,
        resource: call.resource,
        status: 0,
        reason: 'TooManyCalls',
        message: `${call.verb} ${call.resource}: ${error.message}`,
      });
    }
  }

  /** One request, and a second one with fresh credentials when the first is not believed (401) and there are others to try. */
  async #authorized(
    call: OutgoingCall,
    signal: AbortSignal,
    pool: 'unary' | 'watch',
  ): Promise<{readonly response: Dispatcher.ResponseData; readonly credentials: Credentials}> {
    const {credentials: source, metrics} = this.#parts;
    const credentials = await source.get();
    const response = await this.#request(call, credentials, signal, pool);
    if (response.statusCode !== 401) return {response, credentials};
    // Another call may have reloaded already; then its result is what is tried.
    if ((await source.get()) === credentials) source.reload();
    const fresh = await source.get();
    if (fresh.headers['authorization'] === credentials.headers['authorization'] && fresh.key === credentials.key)
      return {response, credentials};
    await response.body.dump();
    metrics?.retried({verb: call.verb, host: hostOf(credentials), cause: '401'});
    return {response: await this.#request(call, fresh, signal, pool), credentials: fresh};
  }

  async #request(
    call: OutgoingCall,
    credentials: Credentials,
    signal: AbortSignal,
    pool: 'unary' | 'watch',
  ): Promise<Dispatcher.ResponseData> {
    const {clock, metrics, pools, userAgent} = this.#parts;
    const startedMs = clock.monotonicMs();
    let code = '<error>';
    try {
      const response = await pools.for(credentials)[pool].request({
        origin: credentials.origin,
        path: credentials.basePath + call.path,
        method: call.method as Dispatcher.HttpMethod,
        headers: {accept: 'application/json', 'user-agent': userAgent, ...credentials.headers, ...call.headers},
        body: call.body ?? null,
        signal,
      });
      code = String(response.statusCode);
      return response;
    } finally {
      metrics?.requestEnded({
        method: call.method,
        verb: call.verb,
        code,
        host: hostOf(credentials),
        durationMs: clock.monotonicMs() - startedMs,
      });
    }
  }

  /** Deprecations and unknown fields, as kubectl prints them: worth a line, since they tell of a mismatch with the server's version. */
  #warn(call: CallName, header: string | string[] | undefined): void {
    if (header === undefined) return;
    this.#parts.log.warn({verb: call.verb, resource: call.resource, warning: String(header).slice(0, 500)}, 'the API server warns');
  }
}

/** An attempt that failed; a class, so that it cannot be taken for an answer. */
class FailedAttempt {
  readonly error: ApiError;
  readonly host: string;
  readonly answer: Answer | undefined;

  constructor(error: ApiError, host: string, answer?: Answer) {
    this.error = error;
    this.host = host;
    this.answer = answer;
  }
}

const hostOf = (credentials: Credentials): string => credentials.origin.slice(credentials.origin.indexOf('//') + 2);

/** What a caller gets to see of a failure: its own abort reason (or our deadline), an ApiError as it is, anything else as a lost connection. */
function failureOf(call: CallName, error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  return error instanceof ApiError ? error : errorOfConnection(call, error);
}
