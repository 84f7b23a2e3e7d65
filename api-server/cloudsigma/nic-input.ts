/** The `nic:0:…` and `nic:1:…` keys of a server. Pure. */
import {isUuid} from '../../crds/rules/names.ts';
import {valueOf, type Properties} from './codec.ts';
import type {Problems} from './errors.ts';

/** Network cards that the API knows; the first is the default. */
export const NIC_MODELS = ['e1000', 'rtl8139', 'virtio'] as const;

/** A network card's model. */
export type NicModel = (typeof NIC_MODELS)[number];

/** One network card as the body describes it. Without `vlan` it is on the public network. */
export interface NicFields {
  readonly index: number;
  readonly model: NicModel;
  /** `dhcp auto` = Auto; no `dhcp` at all = Manual: no address is offered. */
  readonly addressing: 'Auto' | 'Manual';
  readonly vlanUuid: string | undefined;
  readonly macAddress: string | undefined;
}

const NIC_KEY = /^nic:(\d+):(model|dhcp|vlan|mac|block)$/;
const MAC = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/;
const LAST_NIC = 1;

function readNic(body: Properties, index: number, problems: Problems): NicFields {
  const key = (name: string): string => `nic:${index}:${name}`;
  const model = valueOf(body, key('model'))?.trim() ?? NIC_MODELS[0];
  const known = NIC_MODELS.find((candidate) => candidate === model);
  if (known === undefined) problems.add(key('model'), `must be one of ${NIC_MODELS.join(', ')}`);

  const dhcp = valueOf(body, key('dhcp'))?.trim();
  if (dhcp !== undefined && dhcp !== 'auto') problems.add(key('dhcp'), `${dhcp} is not a static address of this account; use auto`);

  const vlanUuid = valueOf(body, key('vlan'))?.trim().toLowerCase();
  if (vlanUuid !== undefined && !isUuid(vlanUuid)) problems.add(key('vlan'), `${vlanUuid} is not the uuid of a VLAN`);
  if (vlanUuid === undefined && index > 0) problems.add(key('vlan'), 'This field is required.');

  const macAddress = valueOf(body, key('mac'))?.trim().toLowerCase();
  if (macAddress !== undefined && !MAC.test(macAddress)) problems.add(key('mac'), `${macAddress} is not the MAC address of one card`);
  return {index, model: known ?? NIC_MODELS[0], addressing: dhcp === undefined ? 'Manual' : 'Auto', vlanUuid, macAddress};
}

/** The cards for which any key has a value, by index. */
export function readNics(body: Properties, problems: Problems): NicFields[] {
  const indexes = new Set<number>();
  for (const key of body.keys()) {
    const match = NIC_KEY.exec(key);
    if (match === null || valueOf(body, key) === undefined) continue;
    const index = Number(match[1]);
    if (index > LAST_NIC) problems.add(key, `there are network cards 0 to ${LAST_NIC}`);
    else indexes.add(index);
  }
  return [...indexes].toSorted((left, right) => left - right).map((index) => readNic(body, index, problems));
}
