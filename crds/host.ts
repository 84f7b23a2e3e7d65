/** Host: a bare-metal machine, bound to its Kubernetes Node. Cluster-scoped. */
import {foreignName, givenUuidField, idField, idRule, ipAddress, nameOf, statusOf} from './common.ts';
import {capacityFields, dataField, noteField, stateField} from './inventory.ts';
import {CAPACITY_COLUMNS} from './region.ts';
import {AGE, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {immutableOnceSet, req, s} from './schema.ts';
import type {Infer} from './schema.ts';

const maintenance = s.object(
  'Maintenance as a wish.',
  {
    mode: s.oneOf(
      'None: in service. Cordon: no new servers. Drain: no new servers, and those that run leave.',
      ['None', 'Cordon', 'Drain'],
      {
        default: 'None',
      },
    ),
    policy: s.oneOf('What a drain does with a running server. Block: wait for a person.', ['Migrate', 'Stop', 'Block'], {
      default: 'Migrate',
    }),
    deadlineSeconds: s.integer('How long a drain may take before it reports failure.', {min: 60, max: 604_800, default: 3600}),
  },
  {default: {}},
);

export const hostSpec = s.object(
  'What the host is.',
  {
    id: idField,
    uuid: givenUuidField,
    hostname: req(s.string('Hostname, unique in the region.', {min: 1, max: 255})),
    cell: nameOf('Cell that the host stands in (its metadata.name).'),
    region: req(nameOf('Region that the host belongs to (its metadata.name).')),
    address: ipAddress('IPv4 or IPv6 address; the Node that has it is the host’s.'),
    type: s.string('Device type, as the inventory calls it.', {max: 255}),
    services: s.list('Services of the host, as the inventory calls them.', s.string('A service.', {min: 1, max: 255}), {
      max: 64,
      type: 'set',
    }),
    manufacturer: s.string('Who made the machine.', {max: 255}),
    state: stateField,
    note: noteField,
    activity: s.oneOf('Inactive: in the inventory, but takes no servers.', ['Active', 'Inactive'], {default: 'Active'}),
    nodeName: foreignName('Node of the host; absent: found by hostname or address.'),
    maintenance,
    data: dataField,
  },
  {rules: [idRule, immutableOnceSet('uuid')]},
);
export const hostStatus = statusOf('What the host does.', {nodeName: foreignName('Node that the host is bound to.'), ...capacityFields});

export type HostSpec = Infer<typeof hostSpec>;
export type HostStatus = Infer<typeof hostStatus>;
export type Host = Resource<'Host', HostSpec, HostStatus>;

export const HOST = kindType<Host>('Host', 'Cluster');

export const hostKind = defineKind(HOST, {
  shortName: 'hst',
  description: 'A Host is a bare-metal machine. It is bound to its Kubernetes Node and shows its capacity, servers and maintenance.',
  columns: [
    {name: 'Region', type: 'string', path: '.spec.region', description: 'Region of the host'},
    {name: 'Cell', type: 'string', path: '.spec.cell', description: 'Cell of the host'},
    {name: 'Status', type: 'string', path: '.spec.state', description: 'State, as the inventory calls it'},
    {name: 'Maintenance', type: 'string', path: '.spec.maintenance.mode', description: 'Maintenance mode'},
    ...CAPACITY_COLUMNS,
    AGE,
  ],
  selectableFields: ['.spec.region', '.spec.cell'],
  spec: hostSpec,
  status: hostStatus,
});
