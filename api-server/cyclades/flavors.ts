/** Flavors: what the caller may use, brief and in full. */
import type {Flavor} from '../../crds/index.ts';
import {idOf} from '../../crds/rules/ids.ts';
import {Failure} from '../http/failure.ts';
import type {Answer, Input} from '../http/types.ts';
import {readId, type ComputeContext} from './context.ts';
import {reply} from './format.ts';
import {grantsOf, projectsOf, seesFlavor} from './scope.ts';
import {links} from './server-view.ts';
import {isDeleting} from '../../kube/objects.ts';

/** id, name, links. */
export function briefFlavor(flavor: Flavor, baseUrl: string) {
  const id = idOf(flavor) ?? 0;
  return {id, name: flavor.spec.name, links: links(`${baseUrl}/flavors/${id}`)};
}

/** The documented members, those of OpenStack clients, and the later ones. `grants`: projects of the caller that have access. */
export function fullFlavor(flavor: Flavor, grants: readonly string[], baseUrl: string) {
  const {vcpus, memoryMiB, diskGiB, diskTemplate, visibility, creation} = flavor.spec;
  return {
    ...briefFlavor(flavor, baseUrl),
    ram: memoryMiB,
    vcpus,
    disk: diskGiB,
    'SNF:disk_template': diskTemplate ?? 'local',
    'SNF:volume_type': diskTemplate ?? 'local',
    'SNF:allow_create': creation !== 'Denied',
    'SNF:flavor-access': grants,
    'os-flavor-access:is_public': visibility !== 'Restricted',
    swap: 0,
    rxtx_factor: 1.0,
    'OS-FLV-EXT-DATA:ephemeral': 0,
  };
}

/** GET /flavors. */
export function listFlavors(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, {flavors: visible(input, context).map(({flavor}) => briefFlavor(flavor, input.baseUrl))});
}

/** GET /flavors/detail. */
export function listFlavorsDetail(input: Input, context: ComputeContext): Answer {
  return reply(input, 200, {flavors: visible(input, context).map(({flavor, grants}) => fullFlavor(flavor, grants, input.baseUrl))});
}

/** GET /flavors/{id}; a deleted one too. */
export function getFlavor(input: Input, context: ComputeContext): Answer {
  const {flavor, projects} = flavorOf(input, context);
  return reply(input, 200, {flavor: fullFlavor(flavor, grantsOf(flavor, projects), input.baseUrl)});
}

/** GET /flavors/{id}/os-extra_specs: the openstack command asks before it shows a flavor. */
export function getExtraSpecs(input: Input, context: ComputeContext): Answer {
  flavorOf(input, context);
  return {status: 200, body: {extra_specs: {}}};
}

function flavorOf(input: Input, {store, deletedFlavors}: ComputeContext) {
  const id = readId(input.params['id'], 'flavor');
  const projects = projectsOf(input.caller, store);
  const flavor = store.flavors.byId(id) ?? deletedFlavors.byId(id);
  if (flavor === undefined || !seesFlavor(flavor, projects)) throw new Failure('not-found', 'Flavor not found.');
  return {flavor, projects};
}

interface VisibleFlavor {
  readonly flavor: Flavor;
  readonly grants: readonly string[];
}

function visible({caller, query}: Input, {store}: ComputeContext): readonly VisibleFlavor[] {
  const projects = projectsOf(caller, store);
  const access = query.get('SNF:flavor-access');
  const isPublic = readIsPublic(query.get('os-flavor-access:is_public') ?? query.get('SNF:is_public'));
  return store.flavors
    .list()
    .filter((flavor) => idOf(flavor) !== undefined && !isDeleting(flavor) && seesFlavor(flavor, projects))
    .map((flavor) => ({flavor, grants: grantsOf(flavor, projects)}))
    .filter(({flavor}) => isPublic === undefined || (flavor.spec.visibility !== 'Restricted') === isPublic)
    .filter(({grants}) => access === null || grants.includes(access));
}

/** `true`/`false` in any case and as digits; other values are a mistake. */
function readIsPublic(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  if (/^(true|1|yes)$/i.test(value)) return true;
  if (/^(false|0|no)$/i.test(value)) return false;
  if (/^none$/i.test(value)) return undefined;
  throw new Failure('bad-request', 'is_public is true or false');
}
