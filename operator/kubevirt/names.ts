/**
 * Derived names, labels and annotations of everything that is made for our kinds in KubeVirt and CDI. A name is a function of its parent, never random: a
 * create repeated on a stale cache meets AlreadyExists in place of making a twin.
 */

/** JSON `{"<interface>": "<address>"}` on the template: the leased address of each NIC, for whoever serves DHCP to the guest. */
export const NIC_ADDRESSES_ANNOTATION = 'basalt.dev/nic-addresses';

/** Template label of a group's members; one per group, so that a server may be in several. */
export const serverGroupLabel = (groupId: string): string => `basalt.dev/servergroup-${groupId}`;

/** The VirtualMachine (and so its instance) carries the server's own name. */
export const virtualMachineName = (server: string): string => server;
/** The PVC, and where bytes must arrive the DataVolume, of a drive. */
export const claimNameOfDrive = (drive: string): string => drive;
/** DataVolume and PVC of an image: prefixed, because images and drives share the namespace of an account. */
export const dataVolumeNameOfImage = (image: string): string => `img-${image}`;
export const dataSourceNameOfImage = (image: string): string => `img-${image}`;
/** One migration object per operation, so that a repeat is AlreadyExists. */
export const migrationNameOfOperation = (operation: string): string => `srvop-${operation}`;
export const interfaceName = (index: number): string => `nic${index}`;
