/** Naming and timing of the steps of `up`. */

/** Runs a named step and says how long it took. Steps may overlap: each has its own line, printed when it is done. */
export type Step = <T>(name: string, run: () => T | Promise<T>) => Promise<T>;

/** Seconds with one decimal: `3.4 s`. */
export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A step runner that prints through `say`; times are since the runner was made. */
export function stepRunner(say: (line: string) => void, nowMs: () => number): Step {
  const started = nowMs();
  return async (name, run) => {
    const began = nowMs();
    const result = await run();
    const now = nowMs();
    say(`  ${name.padEnd(46)} ${secondsText(now - began).padStart(7)}   at ${secondsText(now - started).padStart(7)}`);
    return result;
  };
}
