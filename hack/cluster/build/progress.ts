/** Progress of a long build for a person: one line, repainted on a terminal, repeated every 15 s elsewhere. */

/** Minutes and seconds: `3:07`. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What a progress line says. Counts and times are of the running step; the estimate is for a machine with a cold cache. */
export interface ProgressFacts {
  readonly step: number;
  readonly steps: number;
  readonly name: string;
  readonly elapsedMs: number;
  readonly estimateMs: number;
  readonly packages: number;
}

/** The line. Past the estimate it says so in place of a negative time. */
export function progressLine(facts: ProgressFacts): string {
  const left = facts.estimateMs - facts.elapsedMs;
  const time = left > 0 ? `about ${clockText(left)} left at most` : 'longer than usual';
  const packages = facts.packages === 0 ? '' : `, ${facts.packages} packages compiled`;
  return `[${facts.step}/${facts.steps}] ${facts.name}: ${clockText(facts.elapsedMs)} elapsed, ${time}${packages}`;
}

/** Where lines go. */
export interface Terminal {
  readonly isTTY: boolean;
  write(text: string): void;
}

/** Paints until stopped. `stop(text)` replaces the line by a last one. */
export function paint(terminal: Terminal, line: () => string): {stop(last: string): void} {
  const repaint = (): void => terminal.write(terminal.isTTY ? `\r\x1b[2K${line()}` : `${line()}\n`);
  repaint();
  const timer = setInterval(repaint, terminal.isTTY ? 1000 : 15_000);
  return {
    stop(last) {
      clearInterval(timer);
      terminal.write(terminal.isTTY ? `\r\x1b[2K${last}\n` : `${last}\n`);
    },
  };
}
