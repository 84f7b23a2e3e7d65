/**
 * The one interface behind which guests run. The life cycle (life-cycle.ts) decides what a guest should do and writes every status; a
 * driver only says what its guests are doing. Two drivers: `simulated` (simulated-guest.ts, nothing executes) and `qemu`
 * (qemu/, processes on the drives' bytes).
 *
 * Nothing here blocks the life cycle: a verb that takes time returns at once or resolves when the request was delivered, the guest's
 * state moves later, and each move calls `onChange`, upon which the life cycle looks at the states again. So a guest that still boots
 * can be killed, and a boot queue is the driver's own affair.
 */
import type {Duplex} from 'node:stream';
import type {GuestMeasures} from './metrics/measures.ts';
import type {GuestOsInfo, Vmi} from './types.ts';

/** `simulated`: statuses only. `qemu`: a process on real bytes. */
export type GuestMode = 'simulated' | 'qemu';

/** How a guest came to its end: it switched itself off (or obeyed the power button), died, was killed by us, or never came to life. */
export type GuestEnd = 'shutdown' | 'crashed' | 'killed' | 'not-started';

/** What a guest is doing. `ended` is final: a new start is a new guest. */
export type GuestState =
  | {readonly name: 'starting'}
  | {readonly name: 'running'}
  /** `diskError`: not by anybody's wish, but because its disk could not be written or read; it says which and why. */
  | {readonly name: 'paused'; readonly diskError?: string}
  | {readonly name: 'ended'; readonly how: GuestEnd; readonly message: string};

/** What an agent inside the guest tells; absent in {@link GuestFacts} while none answers. */
export interface AgentFacts {
  readonly version: string;
  readonly hostname: string;
  readonly os: GuestOsInfo;
  /** By MAC address in lower case. */
  readonly interfaces: ReadonlyMap<string, {readonly interfaceName: string; readonly addresses: readonly string[]}>;
  /** In the shape of KubeVirt's userlist and filesystemlist answers. */
  readonly users: readonly object[];
  readonly fileSystems: readonly object[];
}

/** The devices of a running guest. */
export interface DeviceFacts {
  /** Disks with bytes, by name: the name of the device that the guest sees, as far as one can know (`vdb`). */
  readonly disks: ReadonlyMap<string, string>;
  /** Interfaces by name: whether the link is up. */
  readonly nics: ReadonlyMap<string, boolean>;
}

/** What is known about a running guest beyond its VMI. */
export interface GuestFacts {
  /** The versioned machine type that runs, e.g. `pc-q35-7.2`; a migration target's node must offer it. */
  readonly machineType: string;
  /** Its devices as they are, where they can differ from what the VMI asks for. */
  readonly devices?: DeviceFacts;
  readonly agent?: AgentFacts;
  /** What the VMI asks for that this guest does not have, a sentence each. Absent or empty: it is wholly as asked. */
  readonly unsupported?: readonly string[];
}

/** Everything that a driver is given to start or find a guest. */
export interface GuestOrder {
  readonly vmi: Vmi;
  readonly nodeName: string;
  /** Address of the launcher pod; absent where there are no pods (`--light`). */
  readonly podAddress?: string;
  /** To be called after every move of the guest's state, its facts or its migration. Must be cheap; never throws. */
  readonly onChange: () => void;
}

/** A move of a guest to another node, in the order preparing → ready → copying → one of the ends. */
export interface GuestMigration {
  /** The VirtualMachineInstanceMigration's uid. */
  readonly uid: string;
  readonly targetNode: string;
  /** `ready`: the target waits for the guest. After `succeeded` the guest runs on the target; after the others it is where it was. */
  readonly state: 'preparing' | 'ready' | 'copying' | 'succeeded' | 'failed' | 'cancelled';
  /** Why it failed or was cancelled; empty when there is nothing to say. */
  readonly failure: string;
  /** From `ready`: starts the copy. */
  begin(): void;
  /** Ends it as `cancelled` if it is not too late. */
  cancel(why?: string): void;
}

/** A device of a guest that speaks bytes. */
export type GuestDevice = 'console' | 'vnc';

/** One guest. Verbs reject with {@link GuestVerbError} when the guest's state does not allow them. */
export interface Guest {
  readonly mode: GuestMode;
  readonly vmiUid: string;
  /** The node it runs on; moves when a migration succeeds. */
  readonly nodeName: string;
  readonly state: GuestState;
  readonly facts: GuestFacts;
  /** The newest migration, until `forgetMigration`. */
  readonly migration: GuestMigration | undefined;
  /** The VMI has changed (annotations drive simulated guests). */
  observe(vmi: Vmi): void;
  /** Presses the ACPI power button; a guest may ignore it. Pressed again every few seconds until the grace is over. */
  shutdown(): Promise<void>;
  /** Ends it at once. Resolves when it is gone; does nothing to an ended guest. */
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Presses the reset button: same guest, same memory size, boots again. */
  reset(): Promise<void>;
  /** Asks the guest (agent, else ACPI) to restart. */
  softReboot(): Promise<void>;
  /** Prepares a target on another node of this program; one migration at a time. */
  migrate(order: {readonly uid: string; readonly targetNode: string; readonly vmi: Vmi}): GuestMigration;
  forgetMigration(): void;
  /** Opens a device; `undefined` when this driver has none. */
  connect(device: GuestDevice): Promise<Duplex | undefined>;
  /** A PNG of the screen; `undefined` when this driver has none. */
  screenshot(): Promise<Buffer | undefined>;
  /** Reads off what it has used; `undefined` while nothing executes. Takes `timeoutMs` at most: what is not told by then is left out. */
  measure(options: {readonly timeoutMs: number}): Promise<GuestMeasures | undefined>;
}

/** A kind of guests. */
export interface GuestDriver {
  readonly mode: GuestMode;
  /** Starts a guest; at first its state is `starting`. What goes wrong later is `ended` with `crashed`. */
  start(order: GuestOrder): Guest;
  /**
   * After a restart of this program: the guest of a VMI that should be running, or undefined when it did not survive. Also asked for a
   * VMI that is Scheduled and on its way out, whose guest may have been started without a report: undefined when it never was.
   */
  adopt(order: GuestOrder): Promise<Guest | undefined>;
  /** Lets go of the guests when the program ends; those that can live on without it do. */
  close(): Promise<void>;
}

/** A verb that the guest's present state does not allow; the message is for the caller of the API. */
export class GuestVerbError extends Error {
  override readonly name = 'GuestVerbError';
}
