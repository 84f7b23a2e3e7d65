/**
 * Keeps a set of processes running: starts what is wanted, restarts what ends, stops what is no longer wanted. Processes, time and log are
 * given from outside, so that tests need none of them.
 */
import type {Clock} from '../../../kube/clock.ts';
import type {ProcessIdentity} from '../process-identity.ts';
import {countFailures, restartDelayMs} from './backoff.ts';
import {specHash, stopOrder, type ProcessSpec} from './process-spec.ts';

const STOP_TIMEOUT_MS = 8_000;

/** How a process ended: an exit code, or a signal's name, or the error that kept it from starting. */
export type Exit = {readonly code: number} | {readonly signal: string} | {readonly error: string};

/** A started process. `identity` is undefined when it never started. */
export interface Child {
  readonly identity: ProcessIdentity | undefined;
  readonly ended: Promise<Exit>;
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** What state.json says about one process. Times are RFC 3339. */
export interface ProcessState {
  readonly status: 'running' | 'waiting' | 'stopping' | 'stopped';
  readonly pid?: number;
  readonly startTime?: string;
  readonly startedAt?: string;
  readonly restarts: number;
  readonly lastExit?: Exit & {readonly at: string};
  readonly stage: number;
}

/** What the keeper needs of the outside. */
export interface KeeperContext {
  readonly start: (spec: ProcessSpec) => Child;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs' | 'setTimer'>;
  readonly log: (message: string) => void;
  /** Called after every change, before anything else happens: a pid is on record as soon as it exists. */
  readonly onChange: (states: Record<string, ProcessState>) => void;
}

interface Entry {
  spec: ProcessSpec;
  wanted: boolean;
  hash: string;
  child: Child | undefined;
  startedAtMs: number;
  failures: number;
  state: ProcessState;
  cancelRestart: (() => void) | undefined;
  /** Set while it is being stopped; resolves when the process has ended. */
  stopping: Promise<void> | undefined;
}

/** See the head of this file. */
export class ProcessKeeper {
  readonly #context: KeeperContext;
  readonly #entries = new Map<string, Entry>();
  #closing = false;

  constructor(context: KeeperContext) {
    this.#context = context;
  }

  /** Makes the running set equal to the specs. A changed spec is stopped and started anew. */
  reconcile(specs: readonly ProcessSpec[]): void {
    if (this.#closing) return;
    const wanted = new Map(specs.map((spec) => [spec.name, spec]));
    for (const [name, entry] of this.#entries) {
      const spec = wanted.get(name);
      entry.wanted = spec !== undefined;
      if (spec === undefined) this.#restartOrForget(entry);
      else if (specHash(spec) !== entry.hash) {
        this.#context.log(`${name}: changed, restarting`);
        entry.spec = spec;
        entry.hash = specHash(spec);
        entry.failures = 0;
        this.#restartOrForget(entry);
      }
    }
    for (const spec of [...wanted.values()].toSorted((a, b) => a.stage - b.stage)) {
      if (this.#entries.has(spec.name)) continue;
      const state: ProcessState = {status: 'stopped', restarts: 0, stage: spec.stage};
      const entry: Entry = {
        spec,
        wanted: true,
        hash: specHash(spec),
        child: undefined,
        startedAtMs: 0,
        failures: 0,
        state,
        cancelRestart: undefined,
        stopping: undefined,
      };
      this.#entries.set(spec.name, entry);
      this.#start(entry);
    }
  }

  /** Name -> state, for state.json. */
  states(): Record<string, ProcessState> {
    return Object.fromEntries([...this.#entries].map(([name, entry]) => [name, entry.state]));
  }

  /** Stops everything, highest stage first, and starts nothing any more. */
  async stopAll(): Promise<void> {
    this.#closing = true;
    const items = [...this.#entries.values()].map((entry) => ({stage: entry.spec.stage, entry}));
    for (const group of stopOrder(items)) await Promise.all(group.map(({entry}) => this.#stop(entry)));
  }

  #start(entry: Entry): void {
    entry.cancelRestart = undefined;
    const child = this.#context.start(entry.spec);
    const {clock} = this.#context;
    entry.child = child;
    entry.startedAtMs = clock.monotonicMs();
    this.#set(entry, {
      ...entry.state,
      status: 'running',
      ...(child.identity ?? {}),
      startedAt: new Date(clock.now()).toISOString(),
    });
    this.#context.log(`${entry.spec.name}: started, pid ${child.identity?.pid ?? 'none'}`);
    void child.ended.then((exit) => this.#onEnd(entry, child, exit));
  }

  #onEnd(entry: Entry, child: Child, exit: Exit): void {
    if (entry.child !== child) return;
    entry.child = undefined;
    const {clock} = this.#context;
    const {pid: _pid, startTime: _startTime, ...rest} = entry.state;
    const state: ProcessState = {...rest, lastExit: {...exit, at: new Date(clock.now()).toISOString()}};
    const wasAskedTo = entry.stopping !== undefined || this.#closing;
    if (wasAskedTo) {
      this.#set(entry, {...state, status: 'stopped'});
      this.#context.log(`${entry.spec.name}: stopped`);
      return;
    }
    entry.failures = countFailures(entry.failures, clock.monotonicMs() - entry.startedAtMs);
    const delayMs = restartDelayMs(entry.failures);
    this.#set(entry, {...state, status: 'waiting', restarts: state.restarts + 1});
    this.#context.log(`${entry.spec.name}: ended with ${JSON.stringify(exit)}, starting again in ${delayMs} ms`);
    entry.cancelRestart = clock.setTimer(delayMs, () => this.#start(entry));
  }

  #stop(entry: Entry): Promise<void> {
    if (entry.stopping !== undefined) return entry.stopping;
    entry.cancelRestart?.();
    entry.cancelRestart = undefined;
    const {child} = entry;
    if (child === undefined) {
      this.#set(entry, {...entry.state, status: 'stopped'});
      return Promise.resolve();
    }
    this.#set(entry, {...entry.state, status: 'stopping'});
    child.signal('SIGTERM');
    const cancelKill = this.#context.clock.setTimer(entry.spec.stopTimeoutMs ?? STOP_TIMEOUT_MS, () => {
      this.#context.log(`${entry.spec.name}: did not stop in time, killed`);
      child.signal('SIGKILL');
    });
    entry.stopping = child.ended.then(() => {
      cancelKill();
      entry.stopping = undefined;
    });
    return entry.stopping;
  }

  // Stops it; then starts it with its newest spec, or drops it when it is no longer wanted: what is wanted may change while it stops.
  #restartOrForget(entry: Entry): void {
    if (entry.stopping !== undefined) return;
    void this.#stop(entry).then(() => {
      if (this.#closing) return;
      if (entry.wanted) this.#start(entry);
      else this.#entries.delete(entry.spec.name);
      this.#context.onChange(this.states());
    });
  }

  #set(entry: Entry, state: ProcessState): void {
    entry.state = state;
    this.#context.onChange(this.states());
  }
}
