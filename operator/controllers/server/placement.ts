/** Where a server may go: what it names that is not there, and the scheduler's verdict in words that a person understands. Pure. */
import type {Reason} from '../../../crds/index.ts';
import type {Deps} from '../../runtime/types.ts';
import {no} from './findings.ts';
import type {Finding} from './findings.ts';
import type {Scope} from './scope.ts';

/** Says which region, cell, host or server groups of the spec do not exist; absent: all do. */
export function missingForPlacement(
  {server, groups}: Pick<Scope, 'server' | 'groups'>,
  {regions, cells, hosts}: Pick<Deps['informers'], 'regions' | 'cells' | 'hosts'>,
): Finding | undefined {
  const {placement: {region, cell, host} = {}, serverGroups = []} = server.spec;
  const absentGroups = serverGroups.filter((name) => !groups.some(({metadata}) => metadata.name === name));
  const missing = [
    ...(region === undefined || regions.get(region) !== undefined ? [] : [`region ${region}`]),
    ...(cell === undefined || cells.get(cell) !== undefined ? [] : [`cell ${cell}`]),
    ...(host === undefined || hosts.get(host) !== undefined ? [] : [`host ${host}`]),
    ...absentGroups.map((name) => `server group ${name}`),
  ];
  return missing.length === 0 ? undefined : no('DependencyMissing', missing.map((what) => `${what} does not exist`).join('; '));
}

/** Why no host was found. */
export interface Verdict {
  readonly reason: Extract<Reason, 'NoCapacity' | 'Unschedulable'>;
  readonly message: string;
}

/** The first pattern that a clause of the scheduler matches is what it means. `capacity`: it would fit, were there room. */
const CLAUSES: readonly {readonly pattern: RegExp; readonly meaning: (match: RegExpExecArray) => string; readonly capacity: boolean}[] = [
  {pattern: /^Insufficient memory/, meaning: () => 'not enough memory', capacity: true},
  {pattern: /^Insufficient cpu/, meaning: () => 'not enough CPU', capacity: true},
  {pattern: /^Insufficient ephemeral-storage/, meaning: () => 'not enough local storage', capacity: true},
  {pattern: /^Insufficient devices\.kubevirt\.io\/(\S+)/, meaning: (match) => `no free ${match[1]} device`, capacity: true},
  {pattern: /^Insufficient (\S+)/, meaning: (match) => `not enough ${match[1]}`, capacity: true},
  {pattern: /^Too many pods/, meaning: () => 'too many servers', capacity: true},
  {
    pattern: /didn't match Pod's node affinity\/selector/,
    meaning: () => 'outside the wanted region, cell or host, or not fit to run servers',
    capacity: false,
  },
  {
    pattern: /didn't match pod anti-affinity|didn't satisfy existing pods anti-affinity/,
    meaning: () => 'holds a member of a group that must be kept apart',
    capacity: false,
  },
  {pattern: /didn't match pod affinity/, meaning: () => 'holds no member of the group that it must be near', capacity: false},
  {pattern: /(?:were|was) unschedulable/, meaning: () => 'closed for maintenance', capacity: false},
  {pattern: /untolerated taint/, meaning: () => 'does not take servers (taint)', capacity: false},
  {pattern: /volume node affinity conflict/, meaning: () => 'cannot reach a drive of the server', capacity: false},
  {pattern: /unbound immediate PersistentVolumeClaims/, meaning: () => 'a drive has no storage yet', capacity: false},
];

const DEFAULT_MEANING = (clause: string): string => clause.slice(0, 120);

/**
 * Takes `0/6 nodes are available: 4 Insufficient memory, 2 node(s) were unschedulable. preemption: …` apart: the reasons, each with how
 * many hosts it rules out, the most frequent first. NoCapacity when some host would do if it had room.
 */
export function explainUnschedulable(message: string): Verdict {
  const match = /^0\/(\d+) nodes are available: (.*?)(?:\. preemption:.*)?\.?$/s.exec(message.trim());
  if (match === null) return {reason: 'Unschedulable', message: message.slice(0, 500)};
  const counted = new Map<string, number>();
  let capacity = false;
  for (const part of (match[2] ?? '').split(/, (?=\d+ )/)) {
    const clause = /^(\d+) (.*)$/s.exec(part.trim());
    const text = (clause?.[2] ?? part).replace(/^node\(s\) /, '');
    const known = CLAUSES.map((candidate) => ({candidate, found: candidate.pattern.exec(text)})).find(({found}) => found !== null);
    capacity ||= known?.candidate.capacity ?? false;
    const meaning = known?.found === undefined || known.found === null ? DEFAULT_MEANING(text) : known.candidate.meaning(known.found);
    counted.set(meaning, (counted.get(meaning) ?? 0) + Number(clause?.[1] ?? 0));
  }
  const reasons = [...counted].toSorted((left, right) => right[1] - left[1]).map(([meaning, hosts]) => `${hosts} ${meaning}`);
  return {reason: capacity ? 'NoCapacity' : 'Unschedulable', message: `none of ${match[1]} hosts fits: ${reasons.join('; ')}`};
}
