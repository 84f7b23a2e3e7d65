/** A qemu without a process, for tests: its QMP answers from a script. */
import {identify} from '../../process-identity.ts';
import {runFiles} from './command-line.ts';
import type {QemuInstance} from './instance.ts';
import type {MachinePlan} from './machine.ts';
import type {QmpClient, QmpEvent} from './qmp.ts';

/** Answers a command; what it throws is what the command rejects with. `undefined` is an empty answer. */
export type Script = (command: string, args: Readonly<Record<string, unknown>>) => unknown;

/** A qemu as {@link fakeInstance} makes it. */
export interface FakeInstance extends QemuInstance {
  /** Commands in the order in which they came. */
  readonly commands: string[];
  /** Has it been killed, or has it ended by `quit`? */
  readonly isGone: boolean;
  script: Script;
  emit(event: QmpEvent): void;
}

/** Makes one on a node. It lives until it is killed or told to quit. */
export function fakeInstance(nodeName: string, plan: MachinePlan, script: Script = () => undefined): FakeInstance {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('this process is not known');
  const listeners = new Set<(event: QmpEvent) => void>();
  const {promise: ended, resolve: end} = Promise.withResolvers<void>();
  const folder = `/nowhere/u1-${nodeName}`;
  let present = plan;
  let isGone = false;
  const die = (): void => {
    isGone = true;
    end();
  };
  const commands: string[] = [];
  const qmp: QmpClient = {
    // Async, so that what the script throws is a rejection.
    async execute(command, args = {}) {
      commands.push(command);
      if (isGone) throw new Error('the connection is gone');
      const answer = fake.script(command, args);
      if (command === 'quit') die();
      return answer ?? {};
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    closed: ended,
    close: () => undefined,
  };
  const fake: FakeInstance = {
    place: {root: '/nowhere', folder, sockets: `${folder}/s`, ephemeral: '/nowhere/u1.volumes', vmiUid: 'u1', key: 'ns/vm1', nodeName},
    files: runFiles(folder, `${folder}/s`),
    get plan() {
      return present;
    },
    process: identity,
    qmp,
    nics: new Map(),
    ended,
    commands,
    get isGone() {
      return isGone;
    },
    script,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    lastWords: () => '',
    record: (next) => void (present = next),
    kill: () => {
      die();
      return ended;
    },
    letGo: () => undefined,
    forget: () => undefined,
    trimLog: () => undefined,
  };
  return fake;
}
