/** Waiting in tests for something that real sockets bring about, without a fixed sleep. */

/**
 * Resolves with the first value of `probe` that is neither undefined nor false, asking after every turn of the event loop (after
 * 50 turns: every 2 ms). Rejects after `timeoutMs` (default 4,000, below the 5 s of a test), naming `what`.
 */
export async function until<T>(what: string, probe: () => T | undefined | false, timeoutMs = 4000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let turn = 0; ; turn++) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => {
      if (turn < 50) setImmediate(resolve);
      else setTimeout(resolve, 2);
    });
  }
}
