/** MAC addresses of guests: derived, so that a server keeps its own whatever is lost, and checked against the leases before use. */
import {createHash} from 'node:crypto';

/** Locally administered prefix of QEMU and KVM guests. */
const PREFIX = '52:54:00';

/**
 * The MAC address of a NIC. Only 24 bits differ, so two of 5,000 NICs on one network collide with a probability of about one half: the
 * caller checks, and asks again with the next `attempt` (0 = first choice).
 */
export function deriveMac(serverUuid: string, index: number, attempt = 0): string {
  const digest = createHash('sha256').update(`${serverUuid}/${index}/${attempt}`).digest();
  return [PREFIX, ...[...digest.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** Lower case with colons, the form in which MAC addresses are compared. */
export const normaliseMac = (mac: string): string => mac.toLowerCase().replaceAll('-', ':');
