/** What a driver of guests asks of the networks: a NIC joined to its Network, in qemu's words, and what follows it through its life. */
import type {QmpClient} from '../qemu/qmp.ts';
import type {Netdev} from './addressing.ts';

/** Anything that JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | {readonly [key: string]: JsonValue};

/** A NIC to be joined. */
export interface NicRequest {
  readonly vmiUid: string;
  /** `namespace/name`. */
  readonly vmiKey: string;
  readonly index: number;
  /** Name of the interface in the VMI. */
  readonly name: string;
  /** Lower case. */
  readonly mac: string;
  /** `namespace/name` of the NetworkAttachmentDefinition; undefined: the pod network. */
  readonly attachment: string | undefined;
  /** The address that was leased for it. */
  readonly address: string | undefined;
  readonly podAddress: string | undefined;
  /** What DHCP tells the guest that it is called. */
  readonly hostname?: string;
  /** Value of the annotation that names more ports to be opened (forwards.ts). */
  readonly ports?: string | undefined;
}

/** What a NIC has sent and received, as its guest would count it. */
export interface NicCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txDropped: number;
}

/** A joined NIC. */
export interface NicAttachment {
  /** Arguments that define its netdevs; the device uses netdev `net<index>`. */
  readonly netdevArguments: readonly string[];
  /** The same for QMP: `netdev_add` in this order, `netdev_del` of their ids in the opposite one. */
  readonly netdevs: readonly Netdev[];
  /** For the guest's state file; `adopt` wants it back. */
  readonly state: JsonValue;
  /** The guest runs, for the first time or after it moved here: its ports are opened. May be called again. */
  activate(qmp: QmpClient): Promise<void>;
  /** Before a guest moves away: its ports are closed. If it stays after all, `activate` opens them again. */
  deactivate(qmp: QmpClient): Promise<void>;
  /** Plugs its cable in or out at the switch. The guest sees that by qemu's `set_link`, which is the driver's to call. */
  setLink(up: boolean): void;
  readonly counters: NicCounters;
  /** The guest has ended, or the NIC was taken out. May be called again. */
  release(): void;
}

/** All networks of guests. */
export interface GuestNetworks {
  attach(request: NicRequest): Promise<NicAttachment>;
  /** After a restart of this program: the NIC of a guest that lived on. Rejects when its cable cannot be taken up again. */
  adopt(state: JsonValue, request: NicRequest): Promise<NicAttachment>;
  /** This program ends; guests that live on keep their ports. */
  close(): Promise<void>;
}
