/** Each NIC alone with qemu's own user network, from which nothing outside is reached: for tests of drivers, and for the pod network. */
import type {GuestNetworks, NicAttachment, NicRequest} from './networks.ts';

const NOTHING = {rxBytes: 0, rxPackets: 0, rxDropped: 0, txBytes: 0, txPackets: 0, txDropped: 0};

function attachment({index}: NicRequest): NicAttachment {
  return {
    netdevArguments: ['-netdev', `user,id=net${index},restrict=on`],
    state: null,
    activate: () => Promise.resolve(),
    deactivate: () => Promise.resolve(),
    setLink: () => undefined,
    counters: NOTHING,
    release: () => undefined,
  };
}

/** Creates them. */
export function createUserNetworks(): GuestNetworks {
  return {
    attach: (request) => Promise.resolve(attachment(request)),
    adopt: (_state, request) => Promise.resolve(attachment(request)),
    close: () => Promise.resolve(),
  };
}
