/** From what a body says, with its references resolved, to the spec of a Server. Pure. */
import type {Server} from '../../crds/index.ts';
import type {Connection} from './claims.ts';
import type {NicFields} from './nic-input.ts';
import type {ServerFields} from './server-input.ts';

/** A network by name. */
export interface NetworkName {
  readonly namespace: string;
  readonly name: string;
}

/** What the body's uuids turned out to be. */
export interface Resolved {
  readonly id: number;
  readonly connections: readonly (Connection & {readonly media: 'Disk' | 'Cdrom'})[];
  readonly network: (nic: NicFields) => NetworkName;
  /** Name of the Secret with the VNC password, when the body has one. */
  readonly vncSecret: string | undefined;
  readonly powerState: 'Running' | 'Stopped';
}

/** A network card of the spec. */
export function nicSpec(
  {index, model, addressing, macAddress}: NicFields,
  network: NetworkName,
): NonNullable<Server['spec']['nics']>[number] {
  return {index, network: {...network}, model, addressing, ...(macAddress === undefined ? {} : {macAddress})};
}

/** The spec. */
export function serverSpec(fields: ServerFields, resolved: Resolved): Server['spec'] {
  const {cpu, vnc} = fields;
  const slots = new Set(resolved.connections.map(({slot}) => slot));
  // An empty device in `boot` boots nothing; what is left in its order is what counts.
  const bootOrder = fields.bootOrder.filter((slot) => slots.has(slot));
  return {
    id: resolved.id,
    name: fields.name,
    powerState: resolved.powerState,
    lifecycle: fields.persistent ? 'Persistent' : 'Ephemeral',
    cpu: {mhz: cpu.mhz, ...(cpu.cores === undefined ? {} : {cores: cpu.cores})},
    memoryMiB: fields.memoryMiB,
    disks: resolved.connections.map(({slot, drive, media}) => ({slot, drive: drive.metadata.name, media})),
    bootOrder,
    nics: fields.nics.map((nic) => nicSpec(nic, resolved.network(nic))),
    ...(vnc === undefined || resolved.vncSecret === undefined
      ? {}
      : {console: {vnc: {passwordSecret: {name: resolved.vncSecret}, tls: vnc.tls ? ('Enabled' as const) : ('Disabled' as const)}}}),
    metadata: fields.metadata.map((item) => ({...item})),
    use: [...fields.use],
    ...(fields.description === undefined ? {} : {description: fields.description}),
  };
}
