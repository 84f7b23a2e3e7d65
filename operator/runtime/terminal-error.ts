/** An error that trying again cannot cure: the runtime counts it, logs it once and waits for the object to change. */
export class TerminalError extends Error {
  constructor(message: string, options?: {readonly cause?: unknown}) {
    super(message, options);
    this.name = 'TerminalError';
  }
}
