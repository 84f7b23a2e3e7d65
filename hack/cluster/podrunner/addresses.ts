/** Addresses of pods: each its own, so that CDI's workers can all listen on the same port. They exist on this machine only. */

/** Hosts of the /24 that are pods'; the rest are the cluster's own servers'. */
const FIRST = 100;
const LAST = 250;

/** Hands out addresses of a /24, given as `10.245.3.`. */
export class AddressPool {
  readonly #prefix: string;
  readonly #taken = new Set<string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Marks one as taken, found after a restart. */
  keep(address: string): void {
    this.#taken.add(address);
  }

  /** The lowest free one; undefined when all are taken. */
  take(): string | undefined {
    for (let host = FIRST; host <= LAST; host++) {
      const address = `${this.#prefix}${host}`;
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    return undefined;
  }

  /** Gives one back. */
  release(address: string): void {
    this.#taken.delete(address);
  }
}
