/** Decodes a watch: lines of JSON to events, with an idle limit. */

import type {Clock} from './clock.ts';
import {ApiError} from './errors.ts';
import type {KubeObject, WatchEvent} from './objects.ts';
import {errorOfConnection, errorOfEvent} from './status-error.ts';
import type {CallName} from './status-error.ts';

/** etcd holds no object above 1.5 MB (8 MB at the most where it is configured so); more is not a watch. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Splits chunks into lines. A line may span many chunks, and many lines may share one; multi-byte characters are safe, since bytes are joined. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** The lines that `chunk` completes, without blank ones. Throws a RangeError when a line passes 16 MiB. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const tail = chunk.subarray(from, end);
      const line = this.#parts.length === 0 ? tail.toString() : Buffer.concat([...this.#parts, tail]).toString();
      this.#parts = [];
      this.#bytes = 0;
      from = end + 1;
      if (line.trim() !== '') lines.push(line);
    }
    if (from < chunk.length) {
      this.#parts.push(chunk.subarray(from));
      this.#bytes += chunk.length - from;
      if (this.#bytes > LONGEST_LINE_BYTES) throw new RangeError(`a watch event of more than ${LONGEST_LINE_BYTES} bytes`);
    }
    return lines;
  }
}

/** Parses one line. Throws an `ApiError`: the server's own for an ERROR event, `MalformedEvent` for what is no event. */
export function parseEvent<T extends KubeObject>(call: CallName, line: string): WatchEvent<T> {
  let event: {type?: unknown; object?: unknown};
  try {
    event = JSON.parse(line) as typeof event;
  } catch (cause) {
    throw malformed(call, line, cause);
  }
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      if (typeof event.object !== 'object' || event.object === null) throw malformed(call, line, undefined);
      return event as WatchEvent<T>;
    case 'ERROR':
      throw errorOfEvent(call, event.object);
    default:
      throw malformed(call, line, undefined);
  }
}

/** Options of {@link decodeWatch}. */
export interface DecodeOptions {
  readonly clock: Clock;
  /** Ends the stream with `IdleTimeout` when nothing arrives for so long; absent: waits for ever. */
  readonly idleTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Cuts the connection. */
  readonly cut: (reason: Error) => void;
}

/** Yields the events of a stream until it ends. Throws as {@link parseEvent}, `ConnectionError` when it breaks, the signal's reason when aborted. */
export async function* decodeWatch<T extends KubeObject>(
  call: CallName,
  body: AsyncIterable<Buffer>,
  options: DecodeOptions,
): AsyncGenerator<WatchEvent<T>> {
  const lines = new LineSplitter();
  const idle = startIdleTimer(call, options);
  try {
    for await (const chunk of body) {
      idle.touch();
      // One turn per chunk, not per event: the for-await of the reader yields to others between chunks anyway.
      for (const line of lines.push(chunk)) {
        yield parseEvent<T>(call, line);
        idle.touch(); // the reader's own time is not the server's silence
      }
    }
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    if (idle.error !== undefined) throw idle.error;
    throw error instanceof ApiError ? error : errorOfConnection(call, error);
  } finally {
    idle.stop();
  }
  if (idle.error !== undefined) throw idle.error;
}

/** One timer that is set again only when it fires, instead of one per chunk. */
function startIdleTimer(call: CallName, options: DecodeOptions): {touch(): void; stop(): void; readonly error: ApiError | undefined} {
  const {clock, idleTimeoutMs, cut} = options;
  let lastMs = clock.monotonicMs();
  let error: ApiError | undefined;
  let cancel = (): void => undefined;
  const arm = (ms: number, limit: number): void => {
    cancel = clock.setTimer(ms, () => {
      const restMs = lastMs + limit - clock.monotonicMs();
      if (restMs > 0) {
        arm(restMs, limit);
        return;
      }
      error = new ApiError({...call, status: 0, reason: 'IdleTimeout', message: `watch ${call.resource}: nothing arrived for ${limit} ms`});
      cut(error);
    });
  };
  if (idleTimeoutMs !== undefined) arm(idleTimeoutMs, idleTimeoutMs);
  return {
    touch: () => {
      lastMs = clock.monotonicMs();
    },
    stop: () => cancel(),
    get error() {
      return error;
    },
  };
}

function malformed(call: CallName, line: string, cause: unknown): ApiError {
  // The line itself may hold a Secret: only its length is told.
  return new ApiError({
    ...call,
    status: 0,
    reason: 'MalformedEvent',
    message: `watch ${call.resource}: a line of ${line.length} characters is no event`,
    cause,
  });
}
