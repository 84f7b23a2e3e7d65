/** Where a server may run: region, cell and host as node selector, groups as pod affinity on template labels. */
import {TOPOLOGY_LABELS} from '../../crds/wellknown.ts';
import {serverGroupLabel} from './names.ts';
import type {Affinity} from './types.ts';

/** Wanted place; each is the metadata.name of the object. */
export interface Placement {
  readonly region?: string;
  readonly cell?: string;
  readonly host?: string;
}

/** A group the server is a member of. */
export interface MachineGroup {
  /** The group's uuid. */
  readonly id: string;
  readonly policy: 'AntiAffinity' | 'SoftAntiAffinity' | 'Affinity' | 'SoftAffinity';
  readonly topology: 'Host' | 'Cell';
}

/** `nodeSelector`, absent when the server may run anywhere. */
export function buildNodeSelector(placement: Placement): Readonly<Record<string, string>> | undefined {
  const entries = (['region', 'cell', 'host'] as const).flatMap((level) => {
    const name = placement[level];
    return name === undefined || name === '' ? [] : [[TOPOLOGY_LABELS[level], name] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Labels that the groups' affinity terms look for. They go on the template, so that the launcher pods carry them. */
export const buildGroupLabels = (groups: readonly MachineGroup[]): Readonly<Record<string, string>> =>
  Object.fromEntries(groups.map(({id}) => [serverGroupLabel(id), '']));

type Term = NonNullable<NonNullable<Affinity['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']>[number];

function termOf(group: MachineGroup): Term {
  return {
    labelSelector: {matchExpressions: [{key: serverGroupLabel(group.id), operator: 'Exists'}]},
    topologyKey: group.topology === 'Cell' ? TOPOLOGY_LABELS.cell : 'kubernetes.io/hostname',
  };
}

/** Weight of a soft term: the largest, since ours are the only ones. */
const SOFT_WEIGHT = 100;

const side = (hard: readonly Term[], soft: readonly Term[]) => ({
  ...(hard.length === 0 ? {} : {requiredDuringSchedulingIgnoredDuringExecution: [...hard]}),
  ...(soft.length === 0
    ? {}
    : {preferredDuringSchedulingIgnoredDuringExecution: soft.map((podAffinityTerm) => ({podAffinityTerm, weight: SOFT_WEIGHT}))}),
});

/**
 * `affinity`, absent without groups. A changed group does not move running guests; it takes effect at the next schedule or migration.
 * Groups are sorted by id, so that the order in which they were found changes nothing.
 */
export function buildAffinity(groups: readonly MachineGroup[]): Affinity | undefined {
  const sorted = groups.toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const terms = (policy: MachineGroup['policy']): readonly Term[] => sorted.filter((group) => group.policy === policy).map(termOf);
  const [hardTogether, softTogether] = [terms('Affinity'), terms('SoftAffinity')];
  const [hardApart, softApart] = [terms('AntiAffinity'), terms('SoftAntiAffinity')];
  const together = hardTogether.length + softTogether.length > 0;
  const apart = hardApart.length + softApart.length > 0;
  if (!together && !apart) return undefined;
  return {
    ...(together ? {podAffinity: side(hardTogether, softTogether)} : {}),
    ...(apart ? {podAntiAffinity: side(hardApart, softApart)} : {}),
  };
}
