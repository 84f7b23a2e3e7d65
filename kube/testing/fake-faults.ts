/** Faults that the fake API server injects: each applies to the next requests that match, then is used up. */

/** What a request is matched on. */
export interface RequestLine {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly watch: boolean;
}

/** Which requests, and how many of them. */
export interface FaultOptions {
  /** How many matching requests it hits; default 1, `Infinity` until `clear()`. */
  readonly times?: number;
  readonly match?: (request: RequestLine) => boolean;
}

/** A fault that hits one request. */
export type Fault =
  | {readonly kind: 'reset'; readonly afterEffect: boolean}
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly reason: string;
      readonly retryAfterSeconds: number | undefined;
      readonly asEvent: boolean;
    }
  | {readonly kind: 'halfOpen'}
  | {readonly kind: 'slow'; readonly ms: number};

/** The switches. By default they hit calls and watches alike. */
export class Faults {
  #planned: {readonly fault: Fault; readonly match: (request: RequestLine) => boolean; left: number}[] = [];

  /** Cuts the connection: before anything happens, or (`afterEffect`) after the write, so that only its answer is lost. */
  reset(options: FaultOptions & {readonly afterEffect?: boolean} = {}): void {
    this.#plan({kind: 'reset', afterEffect: options.afterEffect === true}, options);
  }

  /** 410 Expired: as the answer, or for watches (`asEvent`) as an ERROR event of a stream that began well. */
  gone(options: FaultOptions & {readonly asEvent?: boolean} = {}): void {
    this.#plan({kind: 'status', code: 410, reason: 'Expired', retryAfterSeconds: undefined, asEvent: options.asEvent === true}, options);
  }

  /** 429 with `Retry-After` (default 1 s; fractions are sent as they are; `null` leaves it out). */
  tooMany(options: FaultOptions & {readonly retryAfterSeconds?: number | null} = {}): void {
    const retryAfterSeconds = options.retryAfterSeconds === null ? undefined : (options.retryAfterSeconds ?? 1);
    this.#plan({kind: 'status', code: 429, reason: 'TooManyRequests', retryAfterSeconds, asEvent: false}, options);
  }

  /** A 5xx (default 500), with `Retry-After` when given. */
  serverError(
    options: FaultOptions & {readonly code?: number; readonly retryAfterSeconds?: number; readonly asEvent?: boolean} = {},
  ): void {
    const {code = 500, retryAfterSeconds, asEvent = false} = options;
    this.#plan({kind: 'status', code, reason: code === 503 ? 'ServiceUnavailable' : 'InternalError', retryAfterSeconds, asEvent}, options);
  }

  /** Any other answer of failure (403, 401, …). */
  status(code: number, reason: string, options: FaultOptions = {}): void {
    this.#plan({kind: 'status', code, reason, retryAfterSeconds: undefined, asEvent: false}, options);
  }

  /** Takes the request and never says a word; a watch gets its headers first. */
  halfOpen(options: FaultOptions = {}): void {
    this.#plan({kind: 'halfOpen'}, options);
  }

  /** Answers `ms` later. */
  slow(options: FaultOptions & {readonly ms: number}): void {
    this.#plan({kind: 'slow', ms: options.ms}, options);
  }

  clear(): void {
    this.#planned = [];
  }

  /** The fault for this request, which is used up by asking. */
  take(request: RequestLine): Fault | undefined {
    const planned = this.#planned.find(({match}) => match(request));
    if (planned === undefined) return undefined;
    planned.left--;
    if (planned.left <= 0) this.#planned.splice(this.#planned.indexOf(planned), 1);
    return planned.fault;
  }

  #plan(fault: Fault, options: FaultOptions): void {
    this.#planned.push({fault, match: options.match ?? (() => true), left: options.times ?? 1});
  }
}
