/** The networks of all real guests of a cluster: a switch for each, in this process, and a gateway for each NIC on a public one. */
import type {Logger} from '../../../../kube/log.ts';
import type {QmpClient} from '../qemu/qmp.ts';
import {netdevsOf, planUplink, podFacts, uplinkMac, userNetdev} from './addressing.ts';
import type {UplinkPlan} from './addressing.ts';
import {answerDhcp} from './dhcp.ts';
import {closeForwards, openForwards, placesFor, portsOf} from './forwards.ts';
import {rangeText} from './ipv4.ts';
import type {NetworkBook} from './network-book.ts';
import type {GuestNetworks, JsonValue, NicAttachment, NicRequest} from './networks.ts';
import type {ReachBook} from './reach.ts';
import {createSwitch} from './switch.ts';
import type {Switch, Uplink} from './switch.ts';
import {WIRE_HOST} from './wire.ts';
import type {Cable, Wire} from './wire.ts';

/** What the networks stand on. */
export interface GuestNetworksOptions {
  readonly book: NetworkBook;
  readonly reach: ReachBook;
  readonly wire: Wire;
  /** Whether the addresses of this range are this machine's, and of this cluster alone; asked at the start of each guest on it. */
  readonly isRouted: (range: string) => Promise<boolean>;
  readonly freePort: () => Promise<number>;
  /** Number of this cluster among those of the machine. */
  readonly slot: number;
  readonly log: Logger;
}

/** What is remembered of a NIC. */
interface NicState {
  readonly switchPort: number;
  readonly guestPort: number;
  readonly uplinkPort: number | null;
  readonly linkUp: boolean;
}

/** Creates them: nothing is opened before the first NIC. */
export function createGuestNetworks(options: GuestNetworksOptions): GuestNetworks {
  const switches = new Map<string, Switch>();
  const underway = new Set<Promise<void>>();
  // By VMI and NIC: the attachment whose ports are open. Two of them live side by side while a guest moves.
  const current = new Map<string, object>();

  const join = async (request: NicRequest, before: NicState | undefined): Promise<NicAttachment> => {
    const pod = request.attachment === undefined ? podFacts(request.podAddress) : undefined;
    const facts = pod?.facts ?? (await options.book.find(request.attachment ?? ''));
    const plan = planUplink(facts, pod?.address ?? request.address);
    const uplink = before === undefined || before.uplinkPort !== null ? plan : undefined; // it lives on as it was started
    const name = request.attachment ?? `pod of ${request.vmiUid}/${request.index}`;
    const fabric = switches.get(name) ?? createSwitch();
    switches.set(name, fabric);
    const cables: Cable[] = [];
    try {
      return await plugIn({request, before, uplink, name, fabric, cables});
    } catch (error) {
      for (const cable of cables) cable.cut();
      if (fabric.size === 0) switches.delete(name);
      throw error;
    }
  };

  const plugIn = async (parts: {
    readonly request: NicRequest;
    readonly before: NicState | undefined;
    readonly uplink: UplinkPlan | undefined;
    readonly name: string;
    readonly fabric: Switch;
    readonly cables: Cable[];
  }): Promise<NicAttachment> => {
    const {request, before, uplink, name, fabric, cables} = parts;
    const lay = async (guestPort: number | null | undefined, receive: (frame: Buffer) => void): Promise<Cable> => {
      const cable =
        before === undefined || typeof guestPort !== 'number'
          ? await options.wire.lay(receive)
          : await options.wire.takeUp({guestPort, switchPort: before.switchPort}, receive);
      cables.push(cable);
      return cable;
    };
    const nicCable = await lay(before?.guestPort, (frame) => port.receive(frame));
    const uplinkCable = uplink === undefined ? undefined : await lay(before?.uplinkPort, (frame) => port.receiveFromUplink(frame));
    const port = fabric.plug({
      mac: request.mac,
      send: (frame) => nicCable.send(frame),
      ...(uplink === undefined || uplinkCable === undefined ? {} : {uplink: uplinkOf(request, uplink, uplinkCable)}),
    });
    const ports = {switchPort: nicCable.switchPort, guestPort: nicCable.guestPort, uplinkPort: uplinkCable?.guestPort};
    const netdevs = netdevsOf(request, ports, WIRE_HOST, uplink);
    const key = `${request.vmiUid}/${request.index}`;
    const token = {};
    let linkUp = before?.linkUp ?? true;
    port.setLink(linkUp);
    const follow = (work: Promise<void>): void => {
      underway.add(work);
      void work.finally(() => underway.delete(work));
    };
    return {
      netdevs,
      netdevArguments: netdevs.flatMap((netdev) => ['-netdev', JSON.stringify(netdev)]),
      get state() {
        return {switchPort: ports.switchPort, guestPort: ports.guestPort, uplinkPort: ports.uplinkPort ?? null, linkUp} satisfies NicState;
      },
      counters: port.counters,
      async activate(qmp) {
        port.activate();
        current.set(key, token);
        if (uplink === undefined) return;
        const forwards = await openPorts(qmp, request, uplink);
        if (current.get(key) === token) follow(options.reach.tell(request, request.index, forwards));
      },
      async deactivate(qmp) {
        port.deactivate();
        if (uplink !== undefined) await closeForwards(qmp, userNetdev(request.index));
      },
      setLink(up) {
        linkUp = up;
        port.setLink(up);
      },
      release() {
        for (const cable of cables.splice(0)) cable.cut();
        port.unplug();
        if (fabric.size === 0 && switches.get(name) === fabric) switches.delete(name);
        if (current.get(key) !== token) return;
        current.delete(key);
        if (uplink !== undefined) follow(options.reach.tell(request, request.index, []));
      },
    };
  };

  const openPorts = async (qmp: QmpClient, request: NicRequest, uplink: UplinkPlan) => {
    // A pod's address is the pod runner's or nobody's: it is never routed to this machine for a guest.
    const isRouted = request.attachment !== undefined && (await options.isRouted(rangeText(uplink.range)));
    const ports = portsOf(request.ports);
    const forwards = await openForwards(qmp, {
      netdev: userNetdev(request.index),
      address: uplink.address,
      ports,
      places: (port) => placesFor(port, {address: uplink.address, isRouted, slot: options.slot}),
      freePort: options.freePort,
    });
    if (forwards.length < ports.length)
      options.log.warn({vmi: request.vmiKey, nic: request.name, ports, forwards}, 'not all ports could be opened');
    return forwards;
  };

  return {
    attach: (request) => join(request, undefined),
    adopt: async (state, request) => join(request, nicStateOf(state)),
    async close() {
      await Promise.all(underway);
      await options.wire.close();
    },
  };
}

function uplinkOf({hostname}: NicRequest, plan: UplinkPlan, cable: Cable): Uplink {
  const serverMac = uplinkMac(plan.host);
  const {address, gateway, nameservers, host} = plan;
  const lease = {address, prefixLength: plan.range.prefixLength, gateway, nameservers, hostname, server: host, serverMac};
  return {
    mac: serverMac,
    addresses: new Set([host, ...nameservers]),
    answerDhcp: (frame) => answerDhcp(frame, lease),
    send: (frame) => cable.send(frame),
  };
}

function nicStateOf(state: JsonValue): NicState {
  const {switchPort, guestPort, uplinkPort, linkUp} = (typeof state === 'object' && state !== null ? state : {}) as Partial<NicState>;
  if (typeof switchPort !== 'number' || typeof guestPort !== 'number') throw new Error('nothing is remembered of the NIC');
  return {switchPort, guestPort, uplinkPort: uplinkPort ?? null, linkUp: linkUp ?? true};
}
