/** Asks the guest agent, where one answers, what it knows. The protocol is QMP's cousin: JSON lines, and a sync to find the beginning. */
import {randomInt} from 'node:crypto';
import {createConnection} from 'node:net';
import {createInterface} from 'node:readline';
import type {AgentFacts} from '../guest.ts';

/** An agent answers at once or not at all. */
const TIMEOUT_MS = 2_000;

/** What the agent of a guest was last heard to say. One poll without an answer is a busy guest's; the second in a row says that it is gone. */
export class AgentMemory {
  #facts: AgentFacts | undefined;
  #missed = false;

  get facts(): AgentFacts | undefined {
    return this.#facts;
  }

  /** Takes the answer of a poll. Returns whether there is something to tell. */
  hear(answer: AgentFacts | undefined): boolean {
    const knew = this.#facts !== undefined;
    const keep = answer === undefined && knew && !this.#missed;
    this.#missed = answer === undefined;
    if (keep) return false;
    this.#facts = answer;
    return knew || answer !== undefined;
  }

  /** The guest is no more. */
  forget(): void {
    this.#facts = undefined;
  }
}

interface AgentInterface {
  readonly name?: string;
  readonly 'hardware-address'?: string;
  readonly 'ip-addresses'?: readonly {readonly 'ip-address'?: string}[];
}

/** What the agent tells; undefined when none answers. Never rejects: a guest may have no agent, or be just about to end. */
export async function askAgent(socketPath: string): Promise<AgentFacts | undefined> {
  const answers = await converse(socketPath, [
    'guest-info',
    'guest-get-osinfo',
    'guest-network-get-interfaces',
    'guest-get-host-name',
    'guest-get-users',
    'guest-get-fsinfo',
  ]);
  if (answers === undefined) return undefined;
  const [info, os, interfaces, host, users, fileSystems] = answers as [
    {version?: string} | undefined,
    Record<string, string> | undefined,
    readonly AgentInterface[] | undefined,
    {'host-name'?: string} | undefined,
    readonly {user?: string; domain?: string; 'login-time'?: number}[] | undefined,
    readonly {name?: string; mountpoint?: string; type?: string; 'used-bytes'?: number; 'total-bytes'?: number}[] | undefined,
  ];
  return {
    version: info?.version ?? '',
    hostname: host?.['host-name'] ?? '',
    os: {
      name: os?.['name'] ?? '',
      id: os?.['id'] ?? '',
      version: os?.['version'] ?? '',
      versionId: os?.['version-id'] ?? '',
      prettyName: os?.['pretty-name'] ?? '',
      kernelRelease: os?.['kernel-release'] ?? '',
      kernelVersion: os?.['kernel-version'] ?? '',
      machine: os?.['machine'] ?? '',
    },
    interfaces: new Map(
      (interfaces ?? []).flatMap((each) => {
        const mac = each['hardware-address'];
        const addresses = (each['ip-addresses'] ?? []).flatMap((one) => (one['ip-address'] === undefined ? [] : [one['ip-address']]));
        return mac === undefined ? [] : [[mac.toLowerCase(), {interfaceName: each.name ?? '', addresses}]];
      }),
    ),
    users: (users ?? []).map((user) => ({userName: user.user, domain: user.domain, loginTime: user['login-time']})),
    fileSystems: (fileSystems ?? []).map((each) => ({
      diskName: each.name,
      mountPoint: each.mountpoint,
      fileSystemType: each.type,
      usedBytes: each['used-bytes'] ?? 0,
      totalBytes: each['total-bytes'] ?? 0,
    })),
  };
}

/** Whether the agent took the order to restart; false when none answers. */
export async function rebootByAgent(socketPath: string): Promise<boolean> {
  // The command has no answer when it works: that the agent answered the sync is all that can be known.
  return (await converse(socketPath, [], {execute: 'guest-shutdown', arguments: {mode: 'reboot'}})) !== undefined;
}

function converse(socketPath: string, commands: readonly string[], last?: object): Promise<readonly unknown[] | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({path: socketPath});
    const sync = randomInt(1, 2 ** 31 - 1);
    const answers: unknown[] = [];
    let synced = false;
    const end = (result: readonly unknown[] | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), TIMEOUT_MS);
    const ask = (): void => {
      const command = commands[answers.length];
      if (command !== undefined) socket.write(`${JSON.stringify({execute: command})}\n`);
      else if (last === undefined) end(answers);
      else socket.write(`${JSON.stringify(last)}\n`, () => end(answers));
    };
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('connect', () => socket.write(`${JSON.stringify({execute: 'guest-sync', arguments: {id: sync}})}\n`));
    const lines = createInterface({input: socket});
    lines.on('error', () => end(undefined)); // it passes the socket's errors on, and a guest that ends resets the connection
    lines.on('line', (line) => {
      let message: {return?: unknown; error?: unknown};
      try {
        message = JSON.parse(line) as typeof message;
      } catch {
        return; // what is left of an earlier conversation
      }
      if (!synced) {
        synced = message.return === sync;
        if (synced) ask();
        return;
      }
      answers.push(message.return); // a command that this agent does not know answers with an error: nothing known
      ask();
    });
  });
}
