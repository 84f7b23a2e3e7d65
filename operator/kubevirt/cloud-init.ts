/**
 * The seed of a guest: cloud-config user data and network data v2, as the Secret that the VirtualMachine refers to. Pure: what comes
 * from Secrets and KeyPairs was read before. Nothing of what is in here may reach a log, an event or an error.
 */
import {stringify} from 'yaml';
import {cloudInitSecretName} from '../../crds/rules/names.ts';
import {LABELS} from '../../crds/wellknown.ts';
import type {OwnerReference} from '../../kube/objects.ts';
import type {Secret} from '../../kube/types.ts';

/** A file to be written at first boot. */
export interface SeedFile {
  readonly path: string;
  /** The bytes, base64. */
  readonly contentBase64: string;
  readonly owner?: string;
  readonly group?: string;
  /** Octal: `0644`, `0o644` or `644`. */
  readonly mode?: string;
}

/** Addresses of one NIC. */
export interface SeedNic {
  readonly macAddress: string;
  /** Absent: DHCP. */
  readonly static?: {
    readonly address: string;
    readonly prefixLength: number;
    readonly gateway?: string;
    readonly nameservers?: readonly string[];
  };
}

/** Everything a seed depends on. */
export interface Seed {
  readonly server: string;
  readonly namespace: string;
  readonly uuid: string;
  readonly owner: OwnerReference;
  /** Display name; the host name is derived from it. */
  readonly displayName: string;
  readonly sshKeys: readonly string[];
  /** crypt(3) hash (SHA-512) of root's password. */
  readonly passwordHash?: string;
  readonly files: readonly SeedFile[];
  /** The client's own user data: taken as it is, in place of ours. */
  readonly userData?: string;
  readonly nics: readonly SeedNic[];
}

/**
 * A host name from a display name: lower-case letters, digits and hyphens, at most 63 (RFC 1123). A name with nothing usable in it
 * yields the server's own name.
 */
export function hostNameOf(displayName: string, fallback: string): string {
  const label = displayName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
  return label === '' ? fallback.slice(0, 63).replaceAll(/-+$/g, '') : label;
}

/**
 * Octal permissions as cloud-init wants them (`0644`), from octal text with or without its prefix (`0o600`, `0600`, `600`). The spec says
 * octal; decimal numbers of an API's documents were translated at the door. Without a mode, or with an unusable one: `0644`.
 */
export function permissionsOf(mode: string | undefined): string {
  const digits = /^(?:0o)?([0-7]{1,5})$/.exec(mode?.trim() ?? '')?.[1];
  const value = digits === undefined ? 0o644 : Number.parseInt(digits, 8);
  return `0${(value > 0o7777 ? 0o644 : value).toString(8).padStart(3, '0')}`;
}

/** `user:group` for write_files; cloud-init's own default is root:root. */
function ownerOf({owner, group}: SeedFile): string | undefined {
  if (owner === undefined && group === undefined) return undefined;
  return `${owner ?? 'root'}:${group ?? owner ?? 'root'}`;
}

function fileEntry(file: SeedFile) {
  const owner = ownerOf(file);
  // `defer` writes after users exist; root is always there, and early files may be needed by other modules.
  const late = owner !== undefined && owner !== 'root:root';
  return {
    path: file.path,
    encoding: 'b64',
    content: file.contentBase64,
    permissions: permissionsOf(file.mode),
    ...(owner === undefined ? {} : {owner}),
    ...(late ? {defer: true} : {}),
  };
}

/** `#cloud-config` text. A client's own user data is taken as it is. */
export function buildUserData(seed: Seed): string {
  if (seed.userData !== undefined) return seed.userData;
  const {passwordHash} = seed;
  const config = {
    hostname: hostNameOf(seed.displayName, seed.server),
    preserve_hostname: false,
    disable_root: false,
    ...(seed.sshKeys.length === 0 ? {} : {ssh_authorized_keys: [...seed.sshKeys]}),
    users: [
      'default',
      {
        name: 'root',
        lock_passwd: passwordHash === undefined,
        ...(passwordHash === undefined ? {} : {hashed_passwd: passwordHash}),
        ...(seed.sshKeys.length === 0 ? {} : {ssh_authorized_keys: [...seed.sshKeys]}),
      },
    ],
    ...(passwordHash === undefined
      ? {}
      : {ssh_pwauth: true, chpasswd: {expire: false, users: [{name: 'root', password: passwordHash, type: 'hash'}]}}),
    ...(seed.files.length === 0 ? {} : {write_files: seed.files.map(fileEntry)}),
  };
  return `#cloud-config\n${stringify(config, {lineWidth: 0, aliasDuplicateObjects: false})}`;
}

/**
 * Network data v2, each NIC found by its MAC address. The first with a gateway has the default route: a second one would be taken for an
 * error by some guests, and for a better one by others.
 */
export function buildNetworkData(nics: readonly SeedNic[]): string {
  const wayOut = nics.find((nic) => nic.static?.gateway !== undefined);
  const ethernets = Object.fromEntries(
    nics.map((nic, index) => {
      const match = {macaddress: nic.macAddress};
      if (nic.static === undefined) return [`nic${index}`, {match, dhcp4: true}];
      const {address, prefixLength, gateway, nameservers} = nic.static;
      return [
        `nic${index}`,
        {
          match,
          addresses: [`${address}/${prefixLength}`],
          ...(gateway === undefined || nic !== wayOut ? {} : {routes: [{to: 'default', via: gateway}]}),
          ...(nameservers === undefined || nameservers.length === 0 ? {} : {nameservers: {addresses: [...nameservers]}}),
        },
      ];
    }),
  );
  return stringify({version: 2, ethernets}, {lineWidth: 0, aliasDuplicateObjects: false});
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The Secret `<server>-cloudinit`, owned by the Server. */
export function buildCloudInitSecret(seed: Seed): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: cloudInitSecretName(seed.server),
      namespace: seed.namespace,
      labels: {[LABELS.server]: seed.uuid},
      ownerReferences: [seed.owner],
    },
    type: 'Opaque',
    data: {userdata: base64(buildUserData(seed)), networkdata: base64(buildNetworkData(seed.nics))},
  };
}
