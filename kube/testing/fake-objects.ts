/** What the fake API server stores and answers. */
import type {ObjectMeta} from '../objects.ts';

/** A stored object, mutable inside the fake only. */
export interface FakeObject {
  apiVersion: string;
  kind: string;
  metadata: {-readonly [K in keyof ObjectMeta]: ObjectMeta[K]};
  [field: string]: unknown;
}

/** A failure that is answered as a `Status`. */
export class FakeStatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: number, reason: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The `Status` document of a failure. */
export function statusOf(error: FakeStatusError): object {
  const details = error.retryAfterSeconds === undefined ? {} : {details: {retryAfterSeconds: error.retryAfterSeconds}};
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    reason: error.reason,
    ...details,
    code: error.code,
  };
}

export const notFound = (plural: string, name: string): FakeStatusError =>
  new FakeStatusError(404, 'NotFound', `${plural} "${name}" not found`);

/** Deep equality of JSON values, the order of keys aside. */
export function sameJson(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : each,
  );
}
