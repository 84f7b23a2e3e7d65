/** Network: a VLAN of an account, or the public network. Namespaced. */
import {MAC_ADDRESS, count, displayName, foreignName, idField, idRule, ipAddress, nameOf, statusOf} from './common.ts';
import {AGE, conditionColumn, defineKind, kindType} from './resource.ts';
import type {Resource} from './resource.ts';
import {req, s} from './schema.ts';
import type {Infer} from './schema.ts';

/** Most leases of a network: they sit in its status, whose size stays well under 1 MiB so. A /20 of addresses fits. */
export const MAX_LEASES = 4096;

/** CEL: a dotted quad as a number. */
const asNumber = (field: string): string =>
  [16_777_216, 65_536, 256, 1].map((weight, i) => `int(self.${field}.split('.')[${i}]) * ${weight}`).join(' + ');

const range = s.object(
  'Addresses from start to end, both included.',
  {start: req(ipAddress('First address.')), end: req(ipAddress('Last address.'))},
  {
    rules: [
      {
        rule: '!isIP(self.start) || !isIP(self.end) || ip(self.start).family() == ip(self.end).family()',
        message: 'start and end must be of one family',
        fieldPath: '.end',
        reason: 'FieldValueInvalid',
      },
      {
        // Only IPv4: CEL cannot compare addresses, and splitting an IPv6 one costs more than the budget of a CRD.
        rule: `!isIP(self.start) || !isIP(self.end) || !self.start.contains('.') || !self.end.contains('.') || ${asNumber('start')} <= ${asNumber('end')}`,
        message: 'end must not come before start',
        fieldPath: '.end',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

export const networkSpec = s.object(
  'What the network is.',
  {
    id: idField,
    name: req(displayName('network')),
    type: s.oneOf('Public: the cloud’s own. Vlan: an account’s. Immutable.', ['Public', 'Vlan'], {
      default: 'Vlan',
      rules: [{rule: 'self == oldSelf', message: 'type is immutable', reason: 'FieldValueInvalid'}],
    }),
    vlanId: s.integer('VLAN on the hosts’ trunk.', {min: 1, max: 4094}),
    cidr: s.string('Addresses of the network.', {
      min: 4,
      max: 49,
      rules: [{rule: 'isCIDR(self)', message: 'must be a network in CIDR form', reason: 'FieldValueInvalid'}],
    }),
    gateway: ipAddress('Default gateway.'),
    nameservers: s.list('Name servers that servers are told of.', ipAddress('An address.'), {max: 8}),
    ranges: s.list('Addresses that are leased; absent: all of cidr but its first, its last and the gateway.', range, {max: 16}),
  },
  {
    rules: [
      idRule,
      {
        rule: "self.type != 'Vlan' || has(self.vlanId)",
        message: 'a Vlan needs a vlanId',
        fieldPath: '.vlanId',
        reason: 'FieldValueRequired',
      },
      {
        rule: '!has(self.gateway) || (has(self.cidr) && isCIDR(self.cidr) && isIP(self.gateway) && cidr(self.cidr).containsIP(self.gateway))',
        message: 'gateway must be in cidr',
        fieldPath: '.gateway',
        reason: 'FieldValueInvalid',
      },
      {
        rule:
          '!has(self.ranges) || size(self.ranges) == 0 || (has(self.cidr) && isCIDR(self.cidr) && self.ranges.all(r, isIP(r.start) && isIP(r.end)' +
          ' && cidr(self.cidr).containsIP(r.start) && cidr(self.cidr).containsIP(r.end)))',
        message: 'ranges must be in cidr',
        fieldPath: '.ranges',
        reason: 'FieldValueInvalid',
      },
    ],
  },
);

const lease = s.object('An address that a NIC has.', {
  address: req(s.string('The address.', {min: 2, max: 45})),
  macAddress: req(s.string('MAC address of the NIC.', {min: 17, max: 17, pattern: MAC_ADDRESS})),
  server: req(nameOf('Name of the Server.')),
  namespace: req(nameOf('Namespace of the Server.')),
  index: req(s.integer('Index of the NIC.', {min: 0, max: 7})),
});

export const networkStatus = statusOf('What is leased. Written by the operator alone.', {
  leases: s.listMap('Leases. They outlive pods and restarts.', lease, {key: 'address', max: MAX_LEASES}),
  total: count('Addresses that can be leased.'),
  free: count('Addresses that are not leased.'),
  nad: foreignName('NetworkAttachmentDefinition of the network.'),
});

export type NetworkSpec = Infer<typeof networkSpec>;
export type NetworkStatus = Infer<typeof networkStatus>;
export type NetworkLease = Infer<typeof lease>;
export type Network = Resource<'Network', NetworkSpec, NetworkStatus>;

export const NETWORK = kindType<Network>('Network', 'Namespaced');

export const networkKind = defineKind(NETWORK, {
  shortName: 'net',
  description: 'A Network is a VLAN of an account, or the public network. It leases addresses to NICs.',
  columns: [
    {name: 'Type', type: 'string', path: '.spec.type', description: 'Public or Vlan'},
    {name: 'VLAN', type: 'integer', path: '.spec.vlanId', description: 'VLAN'},
    {name: 'CIDR', type: 'string', path: '.spec.cidr', description: 'Addresses'},
    {name: 'Free', type: 'integer', path: '.status.free', description: 'Addresses left'},
    conditionColumn('Ready'),
    AGE,
  ],
  spec: networkSpec,
  status: networkStatus,
});
